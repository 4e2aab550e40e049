// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/descriptors.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "qemu-driver/launch/tap.hpp"
#include "qemu-driver/launch/vsock.hpp"
#include "qemu-driver/qmp/monitor_socket.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

namespace vireo::qemu {

namespace {

Fd open_file(const Descriptor& wanted, int flags) {
    Fd fd(::open(wanted.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600));
    check_errno(fd.get(), fmt::format("open '{}'", wanted.path));
    return fd;
}

Fd open_device(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    check_errno(fd.get(), fmt::format("open '{}'", path));
    return fd;
}

/// Where a word stops what the TPM is doing. Source: Linux,
/// Documentation/ABI/stable/sysfs-class-tpm.
std::string tpm_cancel_file(const std::string& device) {
    return fmt::format("/sys/class/tpm/{}/device/cancel",
                       std::filesystem::path(device).filename().string());
}

Fd open_one(const Descriptor& wanted) {
    switch (wanted.kind) {
    case DescriptorKind::monitor:
        return qmp::listen_on_monitor(wanted.path);
    case DescriptorKind::unix_listen:
        return listen_unix(wanted.path);
    case DescriptorKind::file_append:
        return open_file(wanted, O_APPEND);
    case DescriptorKind::file_truncate:
        return open_file(wanted, O_TRUNC);
    case DescriptorKind::tap:
        break; // open_descriptors()
    case DescriptorKind::vhost_net:
        return open_device(wanted.path.empty() ? "/dev/vhost-net" : wanted.path);
    case DescriptorKind::file_read_write:
    case DescriptorKind::vhost_scsi:
    case DescriptorKind::vhost_vdpa:
        return open_device(wanted.path);
    case DescriptorKind::vhost_vsock:
        return open_vsock(wanted.path, wanted.index);
    case DescriptorKind::tpm_cancel:
        return open_device(tpm_cancel_file(wanted.path));
    case DescriptorKind::fd_group:
        throw Error(ErrorCode::config_unsupported,
                    "descriptors of the group '{}' cannot be given to this daemon yet",
                    wanted.name);
    case DescriptorKind::macvtap:
        throw Error(ErrorCode::config_unsupported,
                    "<interface type='direct'> to '{}' is not supported",
                    wanted.path);
    case DescriptorKind::vhost_user_gpu:
        throw Error(ErrorCode::config_unsupported,
                    "<video><driver name='vhostuser'/> is not supported");
    }
    throw Error(
        ErrorCode::internal, "descriptor kind {} is unknown", static_cast<int>(wanted.kind));
}

/// The queues of one interface are descriptors of one device: the first of them names it.
OpenedDescriptor open_tap_of(const Descriptor& wanted,
                             const std::vector<OpenedDescriptor>& opened) {
    TapWish wish{wanted.name, wanted.path, wanted.virtio, wanted.multi_queue};
    for (const OpenedDescriptor& other : opened) {
        if (!other.tap.empty() && other.owner == wanted.owner) {
            wish.name = other.tap;
            wish.bridge.clear(); // it is there already
        }
    }
    Tap tap = open_tap(wish);
    return {std::move(tap.fd), wanted.number, wanted.owner, std::move(tap.name)};
}

} // namespace

std::vector<OpenedDescriptor> open_descriptors(const std::vector<Descriptor>& wanted) {
    std::vector<OpenedDescriptor> opened;
    for (const Descriptor& descriptor : wanted) {
        try {
            if (descriptor.kind == DescriptorKind::tap) {
                opened.push_back(open_tap_of(descriptor, opened));
            } else {
                opened.push_back({open_one(descriptor), descriptor.number, descriptor.owner, {}});
            }
        } catch (Error& e) {
            if (!descriptor.owner.empty()) {
                e.within(fmt::format("device '{}'", descriptor.owner));
            }
            throw;
        }
    }
    return opened;
}

} // namespace vireo::qemu
