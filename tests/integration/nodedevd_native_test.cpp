// SPDX-License-Identifier: LGPL-2.1-or-later
// NVMe on the native API, and devices that change hands, on a host that the test makes up.
#include "tests/support/child.hpp"
#include "tests/support/device_tree.hpp"
#include "tests/support/driver_process.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/made_up_kernel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

namespace {

const std::string slot = "0000:01:00.0";
const std::string prefix = "/org/vireo/nodedev/";
const std::string function_path = prefix + "pci_5f0000_5f01_5f00_5f0";
const std::string controller_path = prefix + "nvme_5fnvme0";
const std::string disk_path = prefix + "block_5fnvme0n1";
const Target function{"", function_path, "org.vireo.NodeDevice1"};
const Target controller{"", controller_path, "org.vireo.NvmeController1"};
const Target space{"", disk_path, "org.vireo.NvmeNamespace1"};
const Target libvirt_function{
    "", "/org/libvirt/QEMU/nodedev/pci_5f0000_5f01_5f00_5f0", "org.libvirt.NodeDevice"};

/// A drive with one namespace, alone in its IOMMU group, held by nvme.
struct NvmeHost {
    NvmeHost() : path(add_nvme_controller(host, slot, 0)) {
        disk = add_namespace(host, path + "/nvme/nvme0", 0, 1);
        host.link(path + "/iommu_group", "/sys/kernel/iommu_groups/7");
        host.link("/sys/kernel/iommu_groups/7/devices/" + slot, path);
        host.write(path + "/driver_override", "(null)\n");
        kernel.bind(path, "nvme");
        host.write("/proc/meminfo", "MemTotal: 4000 kB\nMemFree: 1000 kB\n"); // storaged reads it
    }

    std::string setting() const { return "VIREO_HOST_TREE=" + host.root().string(); }

    std::string driver() const {
        return std::filesystem::read_symlink(host.at(path + "/driver")).filename();
    }

    HostTree host;
    TemporaryFolder root;
    MadeUpKernel kernel{host, {"nvme", "vfio-pci"}, {{slot, "nvme"}}};
    std::string path;
    std::string disk;
};

/// Names of the properties in the next PropertiesChanged of an interface.
std::vector<std::string> next_changed(Watch& watch, const std::string& interface) {
    while (true) {
        const bus::Message signal = watch.take(20s);
        const char* name = nullptr;
        check(sd_bus_message_read(signal.get(), "s", &name), "read the interface");
        if (name != interface) {
            continue;
        }
        std::vector<std::string> names;
        check(sd_bus_message_enter_container(signal.get(), 'a', "{sv}"), "enter");
        while (sd_bus_message_enter_container(signal.get(), 'e', "sv") > 0) {
            const char* property = nullptr;
            check(sd_bus_message_read(signal.get(), "s", &property), "read a name");
            names.emplace_back(property);
            check(sd_bus_message_skip(signal.get(), "v"), "skip");
            check(sd_bus_message_exit_container(signal.get()), "exit");
        }
        return names;
    }
}

bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string holder(Client& client) {
    const auto lease = client.get<bus::Dict>(function, "Lease");
    const auto* name = lease.empty() ? nullptr : lease.front().second.get<std::string>();
    return name == nullptr ? "none" : *name;
}

} // namespace

TEST_CASE("a controller and its namespace have typed properties") {
    NvmeHost made;
    const DriverProcess daemon("nodedevd", made.root.path(), {made.setting()});
    Client client = daemon.connect();
    CHECK(client.get<std::string>(controller, "Address") == slot);
    CHECK(client.get<std::string>(controller, "Serial") == "LAB0");
    CHECK(client.get<int32_t>(controller, "NumaNode") == 1);
    CHECK(client.get<std::string>(controller, "State") == "live");
    CHECK(client.get<std::vector<bus::ObjectPath>>(controller, "Namespaces") ==
          std::vector{bus::ObjectPath(disk_path)});
    CHECK(client.get<uint32_t>(space, "Id") == 1);
    CHECK(client.get<uint64_t>(space, "Size") == uint64_t{1} << 30);
    CHECK(client.get<uint64_t>(space, "Used") == UINT64_MAX);
    CHECK(client.get<uint32_t>(space, "LBASize") == 4096);
    CHECK(client.get<std::string>(space, "GenericDevice") == "/dev/ng0n1");
    const Target disk{"", disk_path, "org.vireo.NodeDevice1"};
    CHECK(client.get<bus::ObjectPath>(disk, "Parent") == controller_path);
    CHECK(client.get<bus::ObjectPath>(disk, "LibvirtPath") ==
          "/org/libvirt/QEMU/nodedev/block_5fnvme0n1");
    CHECK(client.get<std::vector<std::string>>(disk, "Capabilities") ==
          std::vector<std::string>{"storage", "nvme_namespace"});
    const Target no_space{"", function_path, "org.vireo.NvmeNamespace1"};
    CHECK_THROWS_AS(client.get<uint32_t>(no_space, "Id"), CallError);
}

TEST_CASE("changes come as signals: properties, arrival, departure, mounts") {
    NvmeHost made;
    const DriverProcess daemon("nodedevd", made.root.path(), {made.setting()});
    Client client = daemon.connect();
    const auto properties = [&](const std::string& path) {
        return client.watch(Target{"", path, "org.freedesktop.DBus.Properties"},
                            "PropertiesChanged");
    };
    Watch of_controller = properties(controller_path);
    Watch of_function = properties(function_path);
    const Target manager{"", "/org/vireo", "org.freedesktop.DBus.ObjectManager"};
    Watch added = client.watch(manager, "InterfacesAdded");
    Watch removed = client.watch(manager, "InterfacesRemoved");
    CHECK(client.get<std::string>(controller, "State") == "live");
    made.host.write(made.path + "/nvme/nvme0/state", "resetting\n");
    client.call(Target{"", controller_path, "org.vireo.NodeDevice1"}, "Refresh");
    CHECK(has(next_changed(of_controller, "org.vireo.NvmeController1"), "State"));
    CHECK(client.get<std::string>(controller, "State") == "resetting");
    const std::string second = add_namespace(made.host, made.path + "/nvme/nvme0", 0, 2);
    made.host.send_uevent("add", second);
    const char* path = nullptr;
    const bus::Message signal = added.take(20s);
    check(sd_bus_message_read(signal.get(), "o", &path), "read");
    CHECK(std::string(path) == prefix + "block_5fnvme0n2");
    made.host.send_uevent("remove", second);
    const auto gone = removed.next<bus::ObjectPath, std::vector<std::string>>(20s);
    CHECK(std::get<0>(gone) == prefix + "block_5fnvme0n2");
    CHECK(has(std::get<1>(gone), "org.vireo.NodeDevice1"));
    CHECK(has(std::get<1>(gone), "org.vireo.NvmeNamespace1"));
    CHECK_FALSE(has(std::get<1>(gone), "org.vireo.NvmeController1"));
    // A volume is built on the namespace: the kernel tells of the volume.
    const std::string volume = "/sys/devices/virtual/block/dm-0";
    made.host.device(volume, "class/block", {{"dm/name", "vg0-data\n"}, {"dm/uuid", "LVM-x\n"}});
    made.host.link(made.disk + "/holders/dm-0", volume);
    made.host.send_uevent("change", volume);
    CHECK(has(next_changed(of_function, "org.vireo.NodeDevice1"), "InUseBy"));
    const auto uses = client.get<std::vector<bus::Dict>>(function, "InUseBy");
    REQUIRE(uses.size() == 1);
    CHECK(uses.front() == bus::Dict{{"Kind", std::string("lvm")},
                                    {"By", std::string("vg0/data")},
                                    {"Device", std::string("/dev/nvme0n1")}});
}

TEST_CASE("a device in use is refused by name; a free one goes to vfio-pci and comes back") {
    NvmeHost made;
    const DriverProcess daemon("nodedevd", made.root.path(), {made.setting()});
    Client client = daemon.connect();
    made.host.write("/proc/1/mountinfo", "36 1 259:1 / /srv rw - ext4 /dev/nvme0n1 rw\n");
    CHECK(error_of(client, libvirt_function, "Detach", "", uint32_t{0}) ==
          "org.libvirt.Error: resource busy: device 'pci_0000_01_00_0' is in use by the host: "
          "mount '/srv' (/dev/nvme0n1)");
    CHECK(made.driver() == "nvme");
    made.host.write("/proc/1/mountinfo", "");
    client.call(libvirt_function, "Detach", "vfio", uint32_t{0});
    CHECK(made.driver() == "vfio-pci");
    CHECK(holder(client).empty());
    CHECK(client.get<std::string>(function, "HostDriver") == "vfio-pci");
    client.call(libvirt_function, "ReAttach");
    CHECK(made.driver() == "nvme");
    CHECK(holder(client) == "none");
    client.call(function, "Acquire", "domain/1", bus::Dict{});
    CHECK(error_of(client, libvirt_function, "ReAttach").find("is held by 'domain/1'") !=
          std::string::npos);
    CHECK(error_of(client, function, "Acquire", "domain/2", bus::Dict{})
              .starts_with("org.vireo.Error.DeviceInUse: "));
    client.call(function, "Release", "domain/1");
    CHECK(made.driver() == "nvme");
    CHECK(error_of(client, libvirt_function, "Detach", "", uint32_t{1}).find("flags (0x1)") !=
          std::string::npos);
}

TEST_CASE("the ways to give a drive to a guest are planned, best first") {
    NvmeHost made;
    const DriverProcess daemon("nodedevd", made.root.path(), {made.setting()});
    Client client = daemon.connect();
    const Target computer{"", prefix + "computer", "org.vireo.NodeDevice1"};
    const auto plan = [&](const Target& target, const char* device, const bus::Dict& wishes) {
        return client.call<std::vector<bus::Dict>>(target, "PlanAttach", device, wishes);
    };
    const auto text = [](const bus::Dict& way, const char* key) {
        const auto found = std::ranges::find(way, key, &bus::Dict::value_type::first);
        const auto* value = found == way.end() ? nullptr : found->second.get<std::string>();
        return value == nullptr ? std::string("none") : *value;
    };
    auto ways = plan(computer, "block_nvme0n1", bus::Dict{{"target", std::string("vdx")}});
    REQUIRE(ways.size() >= 3);
    CHECK(text(ways.front(), "Kind") == "nvme");
    CHECK(text(ways.front(), "XML") ==
          "<disk type='nvme' device='disk'>\n"
          "  <driver name='qemu' type='raw'/>\n"
          "  <source type='pci' managed='yes' namespace='1'>\n"
          "    <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n"
          "  </source>\n"
          "  <target dev='vdx' bus='virtio'/>\n"
          "</disk>\n");
    ways = plan(function, "", bus::Dict{{"keep-host-driver", true}, {"snapshots", false}});
    CHECK(text(ways.front(), "Kind") == "block");
    client.call(function, "Acquire", "domain/1", bus::Dict{});
    ways = plan(function, "", {});
    const auto obstacles =
        std::ranges::find(ways.front(), "Obstacles", &bus::Dict::value_type::first);
    const auto* list = obstacles->second.get<std::vector<bus::Variant>>();
    REQUIRE(list != nullptr);
    REQUIRE(list->size() == 1);
    const auto* held = list->front().get<bus::Dict>();
    REQUIRE(held != nullptr);
    CHECK(text(*held, "Kind") == "held");
    for (const bus::Dict& wishes : {bus::Dict{{"speed", true}},
                                    bus::Dict{{"snapshots", std::string("yes")}},
                                    bus::Dict{{"target", std::string()}}}) {
        CHECK(error_of(client, function, "PlanAttach", "", wishes)
                  .starts_with("org.vireo.Error.InvalidArgument: wish '"));
    }
    CHECK(error_of(client, computer, "PlanAttach", "pci_9", bus::Dict{})
              .starts_with("org.vireo.Error.NoNodeDevice: "));
    CHECK(error_of(client, computer, "PlanAttach", "", bus::Dict{})
              .starts_with("org.vireo.Error.OperationInvalid: "));
}

TEST_CASE("a controller's health is read when it is asked for, and told") {
    NvmeHost made;
    const DriverProcess daemon("nodedevd", made.root.path(), {made.setting()});
    Client client = daemon.connect();
    Watch changes = client.watch(Target{"", controller_path, "org.freedesktop.DBus.Properties"},
                                 "PropertiesChanged");
    CHECK(client.get<bus::Dict>(controller, "Health").empty());
    CHECK(error_of(client, controller, "RefreshHealth") ==
          "org.vireo.Error.OperationFailed: the drive at '/dev/nvme0' has no health log");
    std::string page(512, '\0');
    page[0] = 0x02; // temperature
    page[1] = 0x57; // 343 K
    page[2] = 0x01;
    page[5] = 42;
    page[48] = 2;  // units of 512,000 bytes
    page[128] = 3; // hours
    made.host.write("/dev/nvme0", page);
    client.call(controller, "RefreshHealth");
    CHECK(has(next_changed(changes, "org.vireo.NvmeController1"), "Health"));
    const auto health = client.get<bus::Dict>(controller, "Health");
    const auto value = [&health](const char* key) {
        const auto found = std::ranges::find(health, key, &bus::Dict::value_type::first);
        return found == health.end() ? bus::Variant(std::string("none")) : found->second;
    };
    CHECK(value("CriticalWarnings") == bus::Variant(std::vector<std::string>{"temperature"}));
    CHECK(value("Temperature") == bus::Variant(uint32_t{343}));
    CHECK(value("PercentageUsed") == bus::Variant(uint32_t{42}));
    CHECK(value("BytesWritten") == bus::Variant(uint64_t{1'024'000}));
    CHECK(value("PowerOnTime") == bus::Variant(uint64_t{3} * 3'600'000'000));
    // A drive that is gone has no health.
    const Target libvirt{"", "/org/libvirt/QEMU", "org.libvirt.Connect"};
    Watch events = client.watch(libvirt, "NodeDeviceEvent");
    const auto await = [&](int32_t event) {
        while (std::get<1>(events.next<bus::ObjectPath, int32_t, int32_t>(20s)) != event) {
        }
    };
    made.host.send_uevent("remove", made.path + "/nvme/nvme0");
    await(1); // deleted
    made.host.send_uevent("add", made.path + "/nvme/nvme0");
    await(0); // created
    CHECK(client.get<bus::Dict>(controller, "Health").empty());
}

TEST_CASE("a lease outlives a daemon that is killed, and one that was between two drivers ends") {
    NvmeHost made;
    DriverProcess first("nodedevd", made.root.path(), {made.setting()});
    {
        Client client = first.connect();
        client.call(function, "Acquire", "domain/1", bus::Dict{});
    }
    first.end(SIGKILL);
    CHECK(made.driver() == "vfio-pci");
    DriverProcess second("nodedevd", made.root.path(), {made.setting()});
    {
        Client client = second.connect();
        CHECK(holder(client) == "domain/1");
        client.call(function, "Release", "domain/1");
        CHECK(made.driver() == "nvme");
        // The kernel hangs; in the middle of it the daemon is killed.
        made.kernel.hang();
        const bus::Message call = client.new_call(function, "Acquire");
        bus::append(call.get(), std::string("domain/2"));
        bus::append(call.get(), bus::Dict{});
        check(sd_bus_send(client.get(), call.get(), nullptr), "send");
        Client other = second.connect();
        const auto state = [&] {
            const auto lease = other.get<bus::Dict>(function, "Lease");
            const auto* word = lease.size() > 3 ? lease[3].second.get<std::string>() : nullptr;
            return word == nullptr ? std::string() : *word;
        };
        while (state() != "taking") { // each question is answered while the call waits
        }
    }
    second.end(SIGKILL);
    made.kernel.go_on();
    const DriverProcess third("nodedevd", made.root.path(), {made.setting()});
    Client client = third.connect();
    const Target libvirt{"", "/org/libvirt/QEMU", "org.libvirt.Connect"};
    Watch events = client.watch(libvirt, "NodeDeviceEvent");
    while (holder(client) != "none") {
        events.next<bus::ObjectPath, int32_t, int32_t>(20s);
    }
    CHECK(made.driver() == "nvme");
}

TEST_CASE("busctl lists controllers and namespaces through the proxy") {
    NvmeHost made;
    InstanceOptions options;
    options.environment.push_back(made.setting());
    const Instance instance(options);
    Client client = instance.connect();
    const Target native{"org.vireo", disk_path, "org.vireo.NvmeNamespace1"};
    CHECK(client.get<uint64_t>(native, "Size") == uint64_t{1} << 30);
    const bus::Message call =
        client.new_call(Target{"org.vireo", "/org/vireo", "org.freedesktop.DBus.ObjectManager"},
                        "GetManagedObjects");
    const bus::Message reply = client.send(call);
    std::vector<std::string> paths;
    check(sd_bus_message_enter_container(reply.get(), 'a', "{oa{sa{sv}}}"), "enter");
    while (sd_bus_message_enter_container(reply.get(), 'e', "oa{sa{sv}}") > 0) {
        const char* path = nullptr;
        check(sd_bus_message_read(reply.get(), "o", &path), "read");
        paths.emplace_back(path);
        check(sd_bus_message_skip(reply.get(), "a{sa{sv}}"), "skip");
        check(sd_bus_message_exit_container(reply.get()), "exit");
    }
    for (const std::string& path : {controller_path, disk_path, function_path}) {
        CHECK(has(paths, path));
    }
}
