// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/fd.hpp"

#include <systemd/sd-device.h>

#include <functional>
#include <memory>
#include <string>

namespace vireo::nodedev {

/// Tells of devices that come, go and change: through udev, which knows more of a device by then,
/// or, where no udev runs (containers), straight from the kernel. The events of a host that is made
/// up in a folder are the kernel's messages as datagrams to a socket there.
class DeviceMonitor {
  public:
    struct Listener {
        /// The device at `path` (below /sys/devices) came or changed, or is gone.
        std::function<void(const std::string& path, bool gone)> changed;
        /// Something was missed or moved: look at everything again.
        std::function<void()> lost;
    };

    /// Listens from now on; throws system_error where that is not possible. `tree` is the folder
    /// of a host that is made up, empty for this one.
    DeviceMonitor(Loop& loop, Listener listener, const std::string& tree = {});
    DeviceMonitor(const DeviceMonitor&) = delete;
    DeviceMonitor& operator=(const DeviceMonitor&) = delete;

  private:
    struct MonitorDeleter {
        void operator()(sd_device_monitor* monitor) const noexcept {
            sd_device_monitor_unref(monitor);
        }
    };

    void listen_to_udev(Loop& loop);
    void listen_to_kernel(Loop& loop);
    void listen_to_socket(Loop& loop, const std::string& path);
    void receive(Loop& loop);
    void read_kernel();
    void tell(const std::string& action, const std::string& path);

    static int on_udev(sd_device_monitor* monitor, sd_device* device, void* self) noexcept;
    static int on_kernel(sd_event_source* source, int fd, uint32_t events, void* self) noexcept;

    Listener listener_;
    std::unique_ptr<sd_device_monitor, MonitorDeleter> udev_;
    Fd kernel_;
    Source source_;
};

/// What a message of the kernel (`add@/devices/...`, then `KEY=VALUE`, each ended by NUL) says;
/// empty strings for anything else. Source: the kernel's lib/kobject_uevent.c.
struct Uevent {
    std::string action;
    std::string path;
};

Uevent parse_uevent(std::string_view message);

} // namespace vireo::nodedev
