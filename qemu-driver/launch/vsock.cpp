// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/vsock.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "qemu-driver/model/problem.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>

namespace vireo::qemu {

namespace {

constexpr uint32_t first_cid = 3;
// Nobody has so many guests: a kernel that refuses all of these refuses for another reason.
constexpr uint32_t last_cid = 65'535;
constexpr const char* device = "/dev/vhost-vsock";

/// Source: Linux, VHOST_VSOCK_SET_GUEST_CID in include/uapi/linux/vhost.h, which is not C++.
constexpr unsigned long set_guest_cid = _IOW(0xAF, 0x60, std::uint64_t);

Fd open_device(const std::string& path) {
    const int opened = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    check_errno(opened, fmt::format("open '{}' (the kernel's module vhost_vsock)", path));
    return Fd(opened);
}

int set_cid(const Fd& vsock, std::uint64_t cid) {
    return ::ioctl(vsock.get(), set_guest_cid, &cid);
}

} // namespace

Fd open_vsock(const std::string& path, std::uint32_t cid) {
    Fd vsock = open_device(path);
    check_errno(set_cid(vsock, cid), fmt::format("give the guest the context id {}", cid));
    return vsock;
}

bool kernel_has_free_cid(uint32_t cid) {
    const Fd vsock = open_device(device);
    const int result = set_cid(vsock, cid);
    if (result < 0 && errno == EADDRINUSE) {
        return false;
    }
    check_errno(result, fmt::format("ask '{}' for context id {}", device, cid));
    return true;
}

void choose_vsock_cid(DomainDef& live, const CidIsFree& is_free) {
    if (!live.devices.vsock || live.devices.vsock->cid) {
        return;
    }
    for (uint32_t cid = first_cid; cid <= last_cid; ++cid) {
        if (is_free(cid)) {
            live.devices.vsock->cid = cid;
            return;
        }
    }
    throw Error(ErrorCode::operation_failed,
                "{}",
                located(live.devices.vsock->info.where, "vsock", "no context id is free"));
}

} // namespace vireo::qemu
