// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/metadata.hpp"

#include <cstdint>
#include <string>

/// `flags`: virDomainModificationImpact. 0 means the running guest, or the definition where the
/// domain is inactive. Throws operation_invalid where the domain has no such document.
namespace vireo::qemu::actions {

/// One piece of a domain's metadata; see metadata_of().
std::string get_metadata(const Driver& driver,
                         const Domain& domain,
                         MetadataType type,
                         const std::string& uri,
                         std::uint32_t flags);

/// Waits for its turn; on disk when it returns. See edit_metadata(). LIVE and CONFIG may be given
/// together.
Task<void> set_metadata(Driver& driver, DomainPtr domain, MetadataEdit edit, std::uint32_t flags);

} // namespace vireo::qemu::actions
