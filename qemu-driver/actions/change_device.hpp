// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>

/// Devices that are added to a domain, removed from it or changed. `xml`: one device as it stands
/// inside `<devices>`. `flags`: virDomainModificationImpact; with LIVE and CONFIG both happen or
/// none: the definition is checked before, and written after, the running guest is changed, and
/// where it cannot be written the running guest is changed back. Each waits for its turn. Throw
/// xml_error and config_unsupported for what the document says, operation_unsupported for devices
/// and changes that are not there, and what stands in the way otherwise.
namespace vireo::qemu::actions {

Task<void> attach_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags);
/// Throws device_missing where no device matches. See unplug_memory() for how long a guest is
/// waited for.
Task<void> detach_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags);
/// Of a memory device: `<requested>` of virtio-mem. `flags` may have FORCE (4), which means nothing
/// for it.
Task<void> update_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags);

} // namespace vireo::qemu::actions
