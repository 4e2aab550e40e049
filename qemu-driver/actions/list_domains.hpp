// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <vector>

namespace vireo::qemu::actions {

/// The domains that `flags` (virConnectListAllDomainsFlags) select, in the order of their names: of
/// each group of flags, one of those given must hold; a group of which none is given does not
/// select. Throws invalid_arg naming unknown flags.
std::vector<DomainPtr> list_domains(Driver& driver, std::uint32_t flags);

} // namespace vireo::qemu::actions
