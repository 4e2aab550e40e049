// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "nodedev-driver/driver.hpp"

#include <string>

/// Devices that can be made: mediated devices by mdevctl(8), virtual ports of Fibre Channel
/// adapters by the kernel. Source: the kernel's Documentation/driver-api/vfio-mediated-device.rst
/// and Documentation/scsi/scsi_fc_transport.rst.
namespace vireo::nodedev::actions {

/// Makes the device of a document and gives its name once it is there. `strict`: what the document
/// of a new device does not have is a mistake. Throws xml_error, no_node_device where the parent is
/// not there, operation_invalid where that cannot have such a child, operation_failed with what
/// mdevctl says, operation_timeout.
Task<std::string> create_device(Driver& driver, std::string document, bool strict);

/// Removes a device that create_device can make. Throws operation_unsupported for others,
/// resource_busy while a guest has it.
Task<void> destroy_device(Driver& driver, std::string name);

} // namespace vireo::nodedev::actions
