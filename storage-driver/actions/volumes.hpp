// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "storage-driver/storage.hpp"

#include <cstdint>
#include <memory>
#include <string>

/// What is done with volumes. The pool runs, or it is operation_invalid; changes wait for the
/// pool's turn. A volume that is not there: no_storage_vol.
namespace vireo::storage::actions {

/// StorageVolCreateXML: gives the volume's name. Nothing is left of one that fails or is cancelled.
/// flags: 1 preallocate metadata, 4 refuse unknown elements.
Task<std::string>
create_volume(Storage& storage, std::shared_ptr<Pool> pool, std::string xml, uint32_t flags);

/// Delete. flags: none (a file system cannot promise to overwrite a file in its place).
Task<void>
delete_volume(Storage& storage, std::shared_ptr<Pool> pool, std::string name, uint32_t flags);

/// Resize to `capacity` bytes. flags: 1 allocate the new space, 2 `capacity` is a difference, 4
/// shrink. Throws invalid_arg for less than the present capacity without 4, operation_failed with
/// what qemu-img says, as where a guest has the image open.
Task<void> resize_volume(Storage& storage,
                         std::shared_ptr<Pool> pool,
                         std::string name,
                         uint64_t capacity,
                         uint32_t flags);

/// The volume as it is now; what was known of it is brought up to date.
Task<VolumeDef> look_at_volume(Storage& storage, std::shared_ptr<Pool> pool, std::string name);

/// What is known of a volume. Throws as above.
const VolumeDef& known_volume(const Pool& pool, std::string_view name);

} // namespace vireo::storage::actions
