// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/monitor.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"

#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>

namespace vireo::nodedev {

namespace {

/// udevd keeps this socket open for as long as it runs.
constexpr const char* udev_socket = "/run/udev/control";

/// A storm of events (a storage array with thousands of paths) must fit until it is read.
constexpr int receive_buffer = 16 * 1024 * 1024;

/// Of a host in a folder.
constexpr const char* made_up_socket = "/uevents";

/// What escapes a callback of sd-event would be lost without a word.
template <class F>
int guarded(F call) noexcept {
    try {
        call();
    } catch (const std::exception& failure) {
        log::error("a device's change is not shown: {}", failure.what());
    }
    return 0;
}

} // namespace

DeviceMonitor::DeviceMonitor(Loop& loop, Listener listener, const std::string& tree)
    : listener_(std::move(listener)) {
    if (!tree.empty()) {
        listen_to_socket(loop, tree + made_up_socket);
    } else if (::access(udev_socket, F_OK) == 0) {
        listen_to_udev(loop);
    } else {
        listen_to_kernel(loop);
    }
}

void DeviceMonitor::listen_to_udev(Loop& loop) {
    sd_device_monitor* monitor = nullptr;
    check(sd_device_monitor_new(&monitor), "listen to udev");
    udev_.reset(monitor);
    // Refused without privileges; then the kernel's own size has to do.
    sd_device_monitor_set_receive_buffer_size(monitor, receive_buffer);
    check(sd_device_monitor_attach_event(monitor, loop.get()), "listen to udev");
    check(sd_device_monitor_start(monitor, &on_udev, this), "listen to udev");
}

void DeviceMonitor::listen_to_kernel(Loop& loop) {
    constexpr uint32_t kernel_group = 1;
    kernel_ =
        Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
    check_errno(kernel_.get(), "listen to the kernel's device events");
    ::setsockopt(kernel_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = kernel_group;
    check_errno(::bind(kernel_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
                "listen to the kernel's device events");
    receive(loop);
}

void DeviceMonitor::listen_to_socket(Loop& loop, const std::string& path) {
    kernel_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    check_errno(kernel_.get(), "listen to a made-up host's events");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw Error(ErrorCode::invalid_arg, "the path of the socket '{}' is too long", path);
    }
    path.copy(address.sun_path, path.size());
    ::unlink(path.c_str()); // of a daemon that was killed
    check_errno(::bind(kernel_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
                "listen at " + path);
    receive(loop);
}

void DeviceMonitor::receive(Loop& loop) {
    sd_event_source* source = nullptr;
    check(sd_event_add_io(loop.get(), &source, kernel_.get(), EPOLLIN, &on_kernel, this),
          "listen to the kernel's device events");
    source_.reset(source);
}

int DeviceMonitor::on_udev(sd_device_monitor*, sd_device* device, void* self) noexcept {
    return guarded([device, self] {
        const char* path = nullptr;
        sd_device_action_t action{};
        if (sd_device_get_syspath(device, &path) >= 0 &&
            sd_device_get_action(device, &action) >= 0) {
            const std::string word = action == SD_DEVICE_REMOVE ? "remove"
                                     : action == SD_DEVICE_MOVE ? "move"
                                                                : "change";
            static_cast<DeviceMonitor*>(self)->tell(word, path);
        }
    });
}

int DeviceMonitor::on_kernel(sd_event_source*, int, uint32_t, void* self) noexcept {
    return guarded([self] { static_cast<DeviceMonitor*>(self)->read_kernel(); });
}

void DeviceMonitor::read_kernel() {
    std::array<char, 8192> buffer{};
    sockaddr_storage sender{};
    socklen_t size = sizeof sender;
    const ssize_t got = ::recvfrom(kernel_.get(),
                                   buffer.data(),
                                   buffer.size(),
                                   0,
                                   reinterpret_cast<sockaddr*>(&sender),
                                   &size);
    if (got < 0 && errno == ENOBUFS) {
        listener_.lost();
        return;
    }
    // On netlink only the kernel has port 0: nobody else's word is taken.
    const bool foreign = sender.ss_family == AF_NETLINK &&
                         reinterpret_cast<const sockaddr_nl*>(&sender)->nl_pid != 0;
    if (got > 0 && !foreign) {
        const Uevent event = parse_uevent({buffer.data(), static_cast<size_t>(got)});
        if (!event.path.empty()) {
            tell(event.action, "/sys" + event.path);
        }
    }
}

void DeviceMonitor::tell(const std::string& action, const std::string& path) {
    if (action == "move") {
        listener_.lost(); // a device and all below it have new paths
    } else {
        listener_.changed(path, action == "remove");
    }
}

Uevent parse_uevent(std::string_view message) {
    const std::string_view head = message.substr(0, message.find('\0'));
    const auto at = head.find('@');
    if (at == std::string_view::npos || at + 1 == head.size() || head[at + 1] != '/') {
        return {};
    }
    return {std::string(head.substr(0, at)), std::string(head.substr(at + 1))};
}

} // namespace vireo::nodedev
