// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/descriptors.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "qemu-driver/launch/tap.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace vireo::qemu {

namespace {

Fd open_file(const Descriptor& wanted, int flags) {
    Fd fd(::open(wanted.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600));
    check_errno(fd.get(), fmt::format("open '{}'", wanted.path));
    return fd;
}

Fd open_one(const Descriptor& wanted) {
    switch (wanted.kind) {
    case DescriptorKind::monitor:
    case DescriptorKind::unix_listen:
        return listen_unix(wanted.path);
    case DescriptorKind::file_append:
        return open_file(wanted, O_APPEND);
    case DescriptorKind::file_truncate:
        return open_file(wanted, O_TRUNC);
    case DescriptorKind::tap:
        return open_tap(TapWish{wanted.name, wanted.path, wanted.virtio, wanted.multi_queue});
    case DescriptorKind::vhost_net: {
        const std::string path = wanted.path.empty() ? "/dev/vhost-net" : wanted.path;
        Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        check_errno(fd.get(), fmt::format("open '{}'", path));
        return fd;
    }
    }
    throw Error(
        ErrorCode::internal, "descriptor kind {} is unknown", static_cast<int>(wanted.kind));
}

} // namespace

std::vector<OpenedDescriptor> open_descriptors(const std::vector<Descriptor>& wanted) {
    std::vector<OpenedDescriptor> opened;
    for (const Descriptor& descriptor : wanted) {
        try {
            opened.push_back(OpenedDescriptor{open_one(descriptor), descriptor.number});
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
