// SPDX-License-Identifier: LGPL-2.1-or-later
// USB devices that a guest is given by vendor and product: on a host that is made up.
#include "libshared/error.hpp"
#include "qemu-driver/launch/usb_devices.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/model_bench.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;

namespace {

/// A hub, a camera with its interface, two keys of one make.
struct Host {
    test::HostTree tree;
    Sysfs sysfs{tree.root()};

    Host() {
        add("usb1", 1, 1, "1d6b", "0002");
        add("1-4", 1, 4, "046d", "0825");
        tree.write("/sys/bus/usb/devices/1-4:1.0/bInterfaceClass", "0e");
        add("2-1", 2, 3, "1050", "0407");
        add("2-2.1", 2, 7, "1050", "0407");
    }

    void
    add(const char* name, int bus, int device, std::string_view vendor, std::string_view product) {
        const std::string folder = fmt::format("/sys/bus/usb/devices/{}/", name);
        tree.write(folder + "busnum", std::to_string(bus));
        tree.write(folder + "devnum", std::to_string(device));
        tree.write(folder + "idVendor", vendor);
        tree.write(folder + "idProduct", product);
    }

    /// Bus and device of each USB device that the guest gets.
    std::string places(std::string_view inside, std::string_view attributes = "") const {
        const std::string text =
            testing::guest(fmt::format("<hostdev mode='subsystem' type='usb'><source {}>{}</source>"
                                       "</hostdev>",
                                       attributes,
                                       inside));
        DomainDef def = parse_domain(text, true);
        try {
            find_usb_devices(def, sysfs);
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::operation_failed);
            return e.what();
        }
        std::string all;
        for (const HostdevDef& hostdev : def.devices.hostdevs) {
            const auto& usb = std::get<UsbHostdev>(hostdev.source);
            all += fmt::format("{}.{}", usb.bus.value_or(0), usb.device.value_or(0));
        }
        return all;
    }
};

constexpr auto camera = "<vendor id='0x046d'/><product id='0x0825'/>";
constexpr auto key = "<vendor id='0x1050'/><product id='0x0407'/>";

} // namespace

TEST_CASE("a USB device is found by vendor and product") {
    const Host host;
    CHECK(host.places(camera) == "1.4");
    CHECK(host.places(fmt::format("{}<address bus='2' device='7'/>", key)) == "2.7");
    CHECK(host.places("<address bus='9' device='9'/>") == "9.9"); // QEMU looks there
}

TEST_CASE("one of several, one that is not there and hubs are refused") {
    const Host host;
    CHECK(host.places(key) ==
          "line 5: <hostdev>: the host has 2 of USB device 1050:0407; name one by "
          "<address bus= device=/> in <source>");
    CHECK(host.places("<vendor id='0x1d6b'/><product id='0x0002'/>") ==
          "line 5: <hostdev>: the host has no USB device 1d6b:0002; plug it in, or let the guest "
          "start without it: <source startupPolicy='optional'>");
    CHECK(host.places(fmt::format("{}<address bus='2' device='4'/>", key))
              .starts_with("line 5: <hostdev>: the host has no USB device 1050:0407 at bus 2, "
                           "device 4; "));
}

TEST_CASE("a guest does without an optional device") {
    Host host;
    CHECK(host.places(camera, "startupPolicy='optional'") == "1.4");
    host.tree.remove("/sys/bus/usb/devices/1-4/idVendor");
    CHECK(host.places(camera, "startupPolicy='optional'").empty());
    CHECK(host.places("<address bus='9' device='9'/>", "startupPolicy='optional'").empty());
    CHECK(host.places(camera, "startupPolicy='requisite'").starts_with("line 5: "));
}
