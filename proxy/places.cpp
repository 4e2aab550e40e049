// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/places.hpp"

#include "libshared/bus/contract.hpp"
#include "libshared/error.hpp"

#include <grp.h>
#include <unistd.h>

#include <set>

namespace vireo::proxy {

std::vector<std::string_view> drivers_of_contract() {
    std::set<std::string_view> drivers;
    for (const bus::ContractInterface& i : bus::contract_interfaces()) {
        for (const bus::ContractMember& m : i.members) {
            if (!m.driver.empty()) {
                drivers.insert(m.driver);
            }
        }
    }
    return {drivers.begin(), drivers.end()};
}

Policy current_policy(bool session) {
    return {.session = session, .own = geteuid(), .group = {}};
}

std::optional<gid_t> find_group() {
    const group* const found = getgrnam("libvirt");
    return found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
}

} // namespace vireo::proxy
