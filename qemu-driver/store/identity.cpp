// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/identity.hpp"

#include "libshared/error.hpp"
#include "libshared/xml/document.hpp"

namespace vireo::qemu {

DomainIdentity read_identity(std::string_view document) {
    const auto parsed = xml::Document::parse(document);
    const auto text_of = [&](std::string_view name) {
        const auto element = parsed.root().child(name);
        std::string text = element ? element->text() : std::string();
        if (text.empty()) {
            throw Error(ErrorCode::xml_error, "domain: element '{}' is missing or empty", name);
        }
        return text;
    };
    return DomainIdentity{text_of("uuid"), text_of("name")};
}

} // namespace vireo::qemu
