// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace vireo::qemu {

/// A vsock device that answers under the guest's context id. Throws system_error.
Fd open_vsock(const std::string& path, uint32_t cid);

/// Whether the kernel would give a guest this context id. Throws system_error where it cannot be
/// asked.
using CidIsFree = std::function<bool(uint32_t cid)>;

/// Asks `/dev/vhost-vsock` by setting it on a device that is closed at once.
/// Source: Linux, drivers/vhost/vsock.c, VHOST_VSOCK_SET_GUEST_CID: EADDRINUSE.
bool kernel_has_free_cid(uint32_t cid);

/// `<cid auto='yes'/>`: the lowest context id from 3 on that nobody has, since 0 to 2 are the
/// hypervisor's, the machine's own and the host's (vsock(7)). A document with an id of its own
/// stays as it is. Throws operation_failed where there is none.
void choose_vsock_cid(DomainDef& live, const CidIsFree& is_free);

} // namespace vireo::qemu
