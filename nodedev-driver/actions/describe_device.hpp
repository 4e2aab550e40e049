// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/node_device.hpp"
#include "nodedev-driver/probe/probe.hpp"

#include <cstdint>
#include <string>

namespace vireo::nodedev::actions {

/// The document of `device` as things are now: the kernel tells of a link that goes up or down
/// without an event, so that part is read again. Of `flags` bit 0 (the stored definition of an
/// inactive device) changes nothing for a device that is there; throws invalid_arg for others.
std::string describe_device(const ProbeSources& sources, const NodeDevice& device, uint32_t flags);

} // namespace vireo::nodedev::actions
