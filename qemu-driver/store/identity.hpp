// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace vireo::qemu {

/// Who a domain is.
struct DomainIdentity {
    std::string uuid;
    std::string name;
};

/// Reads no more of a stored document than its name and UUID. Throws xml_error where one is
/// missing.
DomainIdentity read_identity(std::string_view document);

} // namespace vireo::qemu
