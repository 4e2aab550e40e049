// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/binding.hpp"
#include "storage-driver/model/permissions.hpp"
#include "storage-driver/model/pool_def.hpp"

#include <fmt/format.h>

#include <charconv>

namespace vireo::storage {

namespace {

/// File mode in octal, as chmod(1) takes it: `0744`.
struct Octal {
    std::string parse(std::string_view text, int64_t& out) const {
        constexpr int64_t all_bits = 07777;
        const char* const last = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data(), last, out, 8);
        const bool valid = error == std::errc() && end == last && out >= 0 && out <= all_bits;
        return valid ? "" : "is not a file mode in octal, like 0644";
    }

    void format(const int64_t& value, std::string& out) const {
        out += fmt::format("0{:o}", value);
    }
};

} // namespace

static const xml::Type& describe(const PoolSource*) {
    static const xml::Type type = xml::element<PoolSource>("source");
    return type;
}

static const xml::Type& describe(const PoolTarget*) {
    static const xml::Type type = xml::element<PoolTarget>(
        "target", xml::text("path", &PoolTarget::path), xml::child(&PoolTarget::permissions));
    return type;
}

const xml::Type& describe(const Permissions*) {
    static const xml::Type type = xml::element<Permissions>(
        "permissions",
        xml::text("mode", &Permissions::mode, Octal{})
            .optional()
            .write_if([](const Permissions& p) { return p.mode >= 0; }),
        xml::text("owner", &Permissions::owner).optional().write_if([](const Permissions& p) {
            return p.owner >= 0;
        }),
        xml::text("group", &Permissions::group).optional().write_if([](const Permissions& p) {
            return p.group >= 0;
        }),
        xml::text("label", &Permissions::label));
    return type;
}

const xml::Type& describe(const PoolDef*) {
    static const xml::Type type =
        xml::element<PoolDef>("pool",
                              xml::attr("type", &PoolDef::type),
                              xml::text("name", &PoolDef::name).optional(),
                              xml::text("uuid", &PoolDef::uuid, xml::uuid).optional(),
                              xml::text("capacity", &PoolDef::capacity, xml::bytes).optional(),
                              xml::text("allocation", &PoolDef::allocation, xml::bytes).optional(),
                              xml::text("available", &PoolDef::available, xml::bytes).optional(),
                              xml::child(&PoolDef::source).optional(),
                              xml::child(&PoolDef::target).optional());
    return type;
}

} // namespace vireo::storage
