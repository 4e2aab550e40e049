// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/describe_domain.hpp"

#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_cpu_of_host.hpp"

namespace vireo::qemu::actions {

namespace {

// virDomainXMLFlags
constexpr std::uint32_t secure_flag = 1;
constexpr std::uint32_t inactive_flag = 2;
constexpr std::uint32_t update_cpu_flag = 4;
constexpr std::uint32_t migratable_flag = 8;

} // namespace

std::string describe_domain(Driver& driver, const Domain& domain, std::uint32_t flags) {
    constexpr std::uint32_t known = secure_flag | inactive_flag | update_cpu_flag | migratable_flag;
    if ((flags & ~known) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}) to describe a domain",
                    flags & ~known);
    }
    DescribeFlags shown;
    shown.secure = (flags & secure_flag) != 0;
    shown.inactive = (flags & inactive_flag) != 0;
    shown.migratable = (flags & migratable_flag) != 0;
    if (domain.active() && (!shown.inactive || !domain.persistent)) {
        return describe(*domain.guest->live, shown);
    }
    shown.inactive = true;
    DomainDef def = stored_definition(driver, domain);
    if ((flags & update_cpu_flag) != 0) {
        show_guest_cpu(driver, def);
    }
    return describe(def, shown);
}

} // namespace vireo::qemu::actions
