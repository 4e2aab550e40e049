// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "proxy/authorize.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace vireo::proxy {

/// The drivers that the contract names, each once, sorted.
std::vector<std::string_view> drivers_of_contract();

/// Whom this process trusts; the group is left to find_group().
Policy current_policy(bool session);

/// The group whose members are trusted, where it exists. Blocks: the name services are asked.
std::optional<gid_t> find_group();

} // namespace vireo::proxy
