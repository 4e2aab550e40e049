// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

namespace vireo::qemu {

/// `<vsock>`: sockets between guest and host without a network.
struct VsockDef {
    /// Absent only before `fill_defaults`.
    std::optional<VirtioModel> model;
    std::optional<YesNo> auto_cid;
    std::optional<uint32_t> cid;
    VirtioOptions virtio;
    DeviceInfo info;
};

const xml::Type& describe(const VsockDef*);

} // namespace vireo::qemu
