// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/usb_devices.hpp"

#include "qemu-driver/launch/hostdev_failure.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

/// Source: Linux, Documentation/ABI/testing/sysfs-bus-usb; the names are those of the attributes.
struct HostUsbDevice {
    int64_t busnum, devnum, vendor, product;
};

/// Without the root hubs, which are usb1, usb2 ..., and the interfaces of a device, 1-4:1.0 ...
std::vector<HostUsbDevice> usb_devices(const Sysfs& host) {
    constexpr int hexadecimal = 16;
    std::vector<HostUsbDevice> devices;
    for (const std::string& name : host.names("/sys/bus/usb/devices")) {
        if (name.starts_with("usb") || name.find(':') != std::string::npos) {
            continue;
        }
        const std::string path = "/sys/bus/usb/devices/" + name;
        const auto bus = host.number(path + "/busnum");
        const auto device = host.number(path + "/devnum");
        const auto vendor = host.number(path + "/idVendor", hexadecimal);
        const auto product = host.number(path + "/idProduct", hexadecimal);
        if (bus && device && vendor && product) { // else it is going
            devices.push_back({*bus, *device, *vendor, *product});
        }
    }
    return devices;
}

bool is_meant(const UsbHostdev& wish, const HostUsbDevice& device) {
    return (!wish.vendor || *wish.vendor == device.vendor) &&
           (!wish.product || *wish.product == device.product) &&
           (!wish.bus || *wish.bus == device.busnum) &&
           (!wish.device || *wish.device == device.devnum);
}

std::string words_of(const UsbHostdev& wish) {
    std::string words = "USB device";
    if (wish.vendor && wish.product) {
        words += fmt::format(" {:04x}:{:04x}", *wish.vendor, *wish.product);
    }
    if (wish.bus && wish.device) {
        words += fmt::format(" at bus {}, device {}", *wish.bus, *wish.device);
    }
    return words;
}

/// False where the guest is to do without.
bool find(HostdevDef& hostdev, UsbHostdev& usb, const Sysfs& host) {
    const auto devices = usb_devices(host);
    const auto is_it = [&](const HostUsbDevice& device) { return is_meant(usb, device); };
    const auto found = std::ranges::find_if(devices, is_it);
    if (found == devices.end()) {
        if (usb.startup_policy == StartupPolicy::optional) {
            return false;
        }
        fail_hostdev(
            hostdev,
            fmt::format("the host has no {}; plug it in, or let the guest start without it: "
                        "<source startupPolicy='optional'>",
                        words_of(usb)));
    }
    if (const auto several = std::ranges::count_if(devices, is_it); several > 1) {
        fail_hostdev(
            hostdev,
            fmt::format("the host has {} of {}; name one by <address bus= device=/> in <source>",
                        several,
                        words_of(usb)));
    }
    usb.bus = static_cast<uint32_t>(found->busnum);
    usb.device = static_cast<uint32_t>(found->devnum);
    return true;
}

} // namespace

void find_usb_devices(DomainDef& live, const Sysfs& host) {
    std::vector<HostdevDef> there;
    for (HostdevDef& hostdev : live.devices.hostdevs) {
        auto* usb = std::get_if<UsbHostdev>(&hostdev.source);
        // Where only a place is given, QEMU says what it finds there.
        const bool is_searched = usb && (usb->vendor || usb->startup_policy);
        if (!is_searched || find(hostdev, *usb, host)) {
            there.push_back(std::move(hostdev));
        }
    }
    live.devices.hostdevs = std::move(there);
}

} // namespace vireo::qemu
