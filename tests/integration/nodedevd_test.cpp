// SPDX-License-Identifier: LGPL-2.1-or-later
// vireo-nodedevd by itself and behind the proxy, on a host that the test makes up.
#include "tests/support/device_tree.hpp"
#include "tests/support/driver_process.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <set>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

namespace {

using Paths = std::vector<bus::ObjectPath>;

const Target direct_connect{"", "/org/libvirt/QEMU", "org.libvirt.Connect"};

struct MadeUpHost {
    MadeUpHost() { add_small_host(host); }

    std::string setting() const { return "VIREO_HOST_TREE=" + host.root().string(); }

    HostTree host;
    HostTree root;
};

Target device(const std::string& encoded_name) {
    return {"", "/org/libvirt/QEMU/nodedev/" + encoded_name, "org.libvirt.NodeDevice"};
}

} // namespace

TEST_CASE("the host's devices are listed, by kind where that is asked for") {
    const MadeUpHost made;
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    const auto list = [&](uint32_t flags) {
        return client.call<Paths>(direct_connect, "ListNodeDevices", flags);
    };
    const std::string prefix = "/org/libvirt/QEMU/nodedev/";
    CHECK(list(0) == Paths{bus::ObjectPath(prefix + "block_5fsda_5fQM00001"),
                           bus::ObjectPath(prefix + "computer"),
                           bus::ObjectPath(prefix + "net_5feth0_5f52_5f54_5f00_5f00_5f00_5f01"),
                           bus::ObjectPath(prefix + "pci_5f0000_5f00_5f03_5f0"),
                           bus::ObjectPath(prefix + "pci_5f0000_5f00_5f1f_5f2")});
    CHECK(list(1U << 1).size() == 2);
    CHECK(list((1U << 4) | (1U << 8)).size() == 2);
    CHECK(list(1U << 30).empty());
    CHECK(error_of(client, direct_connect, "ListNodeDevices", uint32_t{1U << 25}) ==
          "org.libvirt.Error: invalid argument: unsupported flags (0x2000000) in ListNodeDevices");
}

TEST_CASE("a device is found by name and tells what it is") {
    const MadeUpHost made;
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    CHECK(client.call<bus::ObjectPath>(
              direct_connect, "NodeDeviceLookupByName", "block_sda_QM00001") ==
          "/org/libvirt/QEMU/nodedev/block_5fsda_5fQM00001");
    const Target disk = device("block_5fsda_5fQM00001");
    CHECK(client.get<std::string>(disk, "Name") == "block_sda_QM00001");
    CHECK(client.get<std::string>(disk, "Parent") == "pci_0000_00_1f_2");
    CHECK(client.get<std::string>(device("computer"), "Parent").empty());
    CHECK(client.call<std::vector<std::string>>(disk, "ListCaps") ==
          std::vector<std::string>{"storage"});
    const auto xml = client.call<std::string>(disk, "GetXMLDesc", uint32_t{0});
    CHECK(xml.find("<parent>pci_0000_00_1f_2</parent>") != std::string::npos);
    CHECK(xml.find("<size>1048576</size>") != std::string::npos);
}

TEST_CASE("a link that goes up is seen when the document is read") {
    MadeUpHost made;
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    const Target card = device("net_5feth0_5f52_5f54_5f00_5f00_5f00_5f01");
    const auto read = [&] { return client.call<std::string>(card, "GetXMLDesc", uint32_t{0}); };
    CHECK(read().find("<link state='down'/>") != std::string::npos);
    made.host.write(pci_bus + "/0000:00:03.0/net/eth0/operstate", "up\n");
    made.host.write(pci_bus + "/0000:00:03.0/net/eth0/speed", "2500\n");
    CHECK(read().find("<link speed='2500' state='up'/>") != std::string::npos);
}

TEST_CASE("what is not there, or cannot be, is said so") {
    const MadeUpHost made;
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    CHECK(error_of(client, direct_connect, "NodeDeviceLookupByName", "pci_9") ==
          "org.libvirt.Error: Node device not found: no node device with matching name 'pci_9'");
    CHECK(error_of(client, device("pci_5f9"), "ListCaps") ==
          "org.libvirt.Error: Node device not found: no node device with matching name 'pci_9'");
    CHECK(error_of(client, device("pci_9"), "ListCaps").find("Node device not found") !=
          std::string::npos);
    CHECK(error_of(client, device("computer"), "Reset").find("is not a PCI device") !=
          std::string::npos);
    CHECK(error_of(client, device("computer"), "GetXMLDesc", uint32_t{6}).find("flags (0x6)") !=
          std::string::npos);
}

TEST_CASE("busctl speaks to the daemon's socket, and sees libvirt-dbus's extra variants") {
    const MadeUpHost made;
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    const auto busctl = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"busctl", "--json=short", "--address=" + daemon.address()});
        return run_command(Command{.words = std::move(words), .environment = {}}, 20s).output;
    };
    CHECK(busctl({"call",
                  "org.vireo",
                  "/org/libvirt/QEMU/nodedev/computer",
                  "org.freedesktop.DBus.Properties",
                  "GetAll",
                  "s",
                  "org.libvirt.NodeDevice"}) ==
          R"({"type":"a{sv}","data":[{"Name":{"type":"v","data":{"type":"s","data":"computer"}},)"
          R"("Parent":{"type":"v","data":{"type":"s","data":""}}}]})"
          "\n");
    CHECK(busctl({"get-property",
                  "org.vireo",
                  "/org/libvirt/QEMU/nodedev/computer",
                  "org.libvirt.NodeDevice",
                  "Name"}) == "{\"type\":\"s\",\"data\":\"computer\"}\n");
}

TEST_CASE("a daemon that was killed knows the same devices again") {
    const MadeUpHost made;
    const auto list = [](const DriverProcess& daemon) {
        Client client = daemon.connect();
        return client.call<Paths>(direct_connect, "ListNodeDevices", uint32_t{0});
    };
    DriverProcess first("nodedevd", made.root.root(), {made.setting()});
    const Paths before = list(first);
    first.end(SIGKILL);
    const DriverProcess second("nodedevd", made.root.root(), {made.setting()});
    CHECK(list(second) == before);
}

TEST_CASE("the daemon leaves when nobody needs it") {
    const MadeUpHost made;
    DriverProcess daemon("nodedevd", made.root.root(), {made.setting()}, {"--idle-timeout", "1"});
    CHECK(daemon.connect().call<Paths>(direct_connect, "ListNodeDevices", uint32_t{0}).size() == 5);
    CHECK(daemon.wait().success());
}

TEST_CASE("a device that the kernel says has changed is told of") {
    // The real host: the only one whose kernel sends events. Writing there needs root.
    const std::string folder = "/sys/bus/pci/devices";
    std::error_code failed;
    std::filesystem::directory_iterator first(folder, failed);
    if (failed || first == std::filesystem::directory_iterator()) {
        MESSAGE("skipped: this host has no PCI device");
        return;
    }
    std::ofstream uevent(first->path() / "uevent");
    if (!uevent) {
        MESSAGE("skipped: this user cannot make the kernel send events");
        return;
    }
    const HostTree root;
    const DriverProcess daemon("nodedevd", root.root());
    Client client = daemon.connect();
    Watch events = client.watch(direct_connect, "NodeDeviceEvent");
    client.call<Paths>(direct_connect, "ListNodeDevices", uint32_t{2}); // it listens by now
    uevent << "change" << std::flush;
    constexpr int32_t updated = 0x10000;
    const auto event = events.next<bus::ObjectPath, int32_t, int32_t>(20s);
    CHECK(std::get<0>(event).starts_with("/org/libvirt/QEMU/nodedev/pci_5f"));
    CHECK(std::get<1>(event) == updated);
}

TEST_CASE("devices that come, change and go are told of") {
    MadeUpHost made;
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    Watch events = client.watch(direct_connect, "NodeDeviceEvent");
    client.call<Paths>(direct_connect, "ListNodeDevices", uint32_t{0}); // it listens by now
    using Event = std::tuple<bus::ObjectPath, int32_t, int32_t>;
    const auto next = [&] { return events.next<bus::ObjectPath, int32_t, int32_t>(20s); };
    const std::string function = add_nvme_controller(made.host, "0000:01:00.0", 0);
    made.host.send_uevent("add", function);
    made.host.send_uevent("add", function + "/nvme/nvme0");
    const bus::ObjectPath pci("/org/libvirt/QEMU/nodedev/pci_5f0000_5f01_5f00_5f0");
    const bus::ObjectPath nvme("/org/libvirt/QEMU/nodedev/nvme_5fnvme0");
    CHECK(next() == Event{pci, 0, 0});
    CHECK(next() == Event{nvme, 0, 0});
    CHECK(client.get<std::string>(device("nvme_5fnvme0"), "Parent") == "pci_0000_01_00_0");
    made.host.send_uevent("change", function);
    CHECK(next() == Event{pci, 0x10000, 0});
    made.host.send_uevent("remove", function + "/nvme/nvme0");
    CHECK(next() == Event{nvme, 1, 0});
}

TEST_CASE("what comes and goes while no daemon runs is told of by the next one") {
    MadeUpHost made;
    {
        DriverProcess first(
            "nodedevd", made.root.root(), {made.setting()}, {"--idle-timeout", "1"});
        CHECK(first.connect().call<Paths>(direct_connect, "ListNodeDevices", uint32_t{0}).size() ==
              5);
        CHECK(first.wait().success());
    }
    add_nvme_controller(made.host, "0000:01:00.0", 0);
    made.host.remove("/sys/class/block/sda");
    const DriverProcess second("nodedevd", made.root.root(), {made.setting()});
    Client client = second.connect();
    Watch events = client.watch(direct_connect, "NodeDeviceEvent");
    std::set<std::string> told;
    for (int i = 0; i < 3; ++i) {
        const auto event = events.next<bus::ObjectPath, int32_t, int32_t>(20s);
        told.insert(std::to_string(std::get<1>(event)) + " " + std::get<0>(event));
    }
    const std::string prefix = "/org/libvirt/QEMU/nodedev/";
    CHECK(told == std::set<std::string>{"0 " + prefix + "nvme_5fnvme0",
                                        "0 " + prefix + "pci_5f0000_5f01_5f00_5f0",
                                        "1 " + prefix + "block_5fsda_5fQM00001"});
}

TEST_CASE("vital product data is read beside the calls, and told of") {
    MadeUpHost made;
    made.host.write(pci_bus + "/0000:00:03.0/vpd",
                    std::string("\x82\x03\x00"
                                "NIC"
                                "\x78",
                                7));
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    Watch events = client.watch(direct_connect, "NodeDeviceEvent");
    const Target card = device("pci_5f0000_5f00_5f03_5f0");
    const auto capabilities = [&] {
        return client.call<std::vector<std::string>>(card, "ListCaps");
    };
    if (capabilities().size() == 1) { // it may have been quicker
        events.next<bus::ObjectPath, int32_t, int32_t>(20s);
    }
    CHECK(capabilities() == std::vector<std::string>{"pci", "vpd"});
    CHECK(client.call<Paths>(direct_connect, "ListNodeDevices", uint32_t{1U << 21}).size() == 1);
}

TEST_CASE("a SCSI host is found by its World Wide Names") {
    MadeUpHost made;
    made.host.device(
        pci_bus + "/0000:00:1f.2/host7", "bus/scsi", {{"uevent", "DEVTYPE=scsi_host\n"}});
    made.host.write("/sys/class/fc_host/host7/node_name", "0x2001001b32a9da5b\n");
    made.host.write("/sys/class/fc_host/host7/port_name", "0x2101001b32a9da5b\n");
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    const char* const lookup = "NodeDeviceLookupSCSIHostByWWN";
    CHECK(client.call<bus::ObjectPath>(
              direct_connect, lookup, "2001001b32a9da5b", "2101001b32a9da5b", uint32_t{0}) ==
          "/org/libvirt/QEMU/nodedev/scsi_5fhost7");
    CHECK(error_of(client, direct_connect, lookup, "2001001b32a9da5b", "0", uint32_t{0})
              .find("Node device not found: no SCSI host with") != std::string::npos);
    CHECK(client.call<Paths>(direct_connect, "ListNodeDevices", uint32_t{1U << 9}).size() == 1);
}

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr auto listing_limit = 100ms; // unoptimized, and every access is checked
#else
constexpr auto listing_limit = 10ms;
#endif
#else
constexpr auto listing_limit = 10ms;
#endif

} // namespace

TEST_CASE("5000 devices are listed within 10 ms") {
    MadeUpHost made;
    for (unsigned number = 0; number < 5000; ++number) {
        const std::string slot = fmt::format("{:04x}:{:02x}:{:02x}.{:x}",
                                             1 + number / 2048,
                                             number / 256 % 8,
                                             number / 8 % 32,
                                             number % 8);
        made.host.device("/sys/devices/many/" + slot,
                         "bus/pci",
                         {{"vendor", "0x8086\n"}, {"device", "0x10c9\n"}});
    }
    const DriverProcess daemon("nodedevd", made.root.root(), {made.setting()});
    Client client = daemon.connect();
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 100; ++i) { // the machine has other work
        const auto begin = std::chrono::steady_clock::now();
        CHECK(client.call<Paths>(direct_connect, "ListNodeDevices", uint32_t{0}).size() == 5005);
        best = std::min(best, std::chrono::steady_clock::now() - begin);
    }
    const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(best);
    MESSAGE("5005 devices listed in " << taken.count() << " us");
    CHECK(taken <= listing_limit);
}

TEST_CASE("the same through the proxy") {
    const MadeUpHost made;
    InstanceOptions options;
    options.environment.push_back(made.setting());
    const Instance instance(options);
    Client client = instance.connect();
    CHECK(client.call<Paths>(libvirt_connect, "ListNodeDevices", uint32_t{0}).size() == 5);
    const auto path =
        client.call<bus::ObjectPath>(libvirt_connect, "NodeDeviceLookupByName", "pci_0000_00_03_0");
    const Target card = libvirt_object(path, "org.libvirt.NodeDevice");
    CHECK(client.get<std::string>(card, "Parent") == "computer");
    CHECK(client.call<std::string>(card, "GetXMLDesc", uint32_t{0}).find("<name>igb</name>") !=
          std::string::npos);
    CHECK(error_of(client, card, "Reset").find("not supported") != std::string::npos);
}
