// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>

namespace vireo::qemu::actions {

/// The domain's document: of the running guest, or the definition where it is inactive or INACTIVE
/// is asked for. `flags`: virDomainXMLFlags. Secrets only with SECURE.
std::string describe_domain(Driver& driver, const Domain& domain, std::uint32_t flags);

} // namespace vireo::qemu::actions
