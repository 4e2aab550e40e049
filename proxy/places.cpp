// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/places.hpp"

#include "libshared/bus/contract.hpp"
#include "libshared/error.hpp"

#include <grp.h>
#include <unistd.h>

#include <filesystem>
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

DriverPlaces
places_of(std::string_view driver, const Options& options, const std::string& programs) {
    const std::string name(driver);
    const std::string runtime = options.directories.runtime + "/";
    DriverPlaces places{.daemon = "vireo-" + name,
                        .socket_name = name + ".sock",
                        .socket = runtime + name + ".sock",
                        .lock = runtime + name + ".pid",
                        .program = programs + "/vireo-" + name,
                        .arguments = {options.session ? "--session" : "--system"}};
    if (!options.root.empty()) {
        places.arguments.insert(places.arguments.end(), {"--root", options.root});
    }
    places.arguments.insert(places.arguments.end(),
                            {"--idle-timeout", std::to_string(options.idle_timeout.count())});
    return places;
}

std::string program_folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

Policy current_policy(bool session) {
    return {.session = session, .own = geteuid(), .group = {}};
}

std::optional<gid_t> find_group() {
    const group* const found = getgrnam("libvirt");
    return found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
}

} // namespace vireo::proxy
