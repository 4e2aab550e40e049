// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/options.hpp"
#include "proxy/authorize.hpp"
#include "proxy/driver_starter.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::proxy {

/// The drivers that the contract names, each once, sorted.
std::vector<std::string_view> drivers_of_contract();

/// Where the driver is: its socket and lock in the runtime directory, its program in `programs`;
/// it is given the same root or mode, and the same idle time, as the proxy has.
DriverPlaces
places_of(std::string_view driver, const Options& options, const std::string& programs);

/// The folder of this executable, where the other daemons are too.
std::string program_folder();

/// Whom this process trusts; the group is left to find_group().
Policy current_policy(bool session);

/// The group whose members are trusted, where it exists. Blocks: the name services are asked.
std::optional<gid_t> find_group();

} // namespace vireo::proxy
