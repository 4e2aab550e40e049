// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/host_setup.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_context.hpp"
#include "qemu-driver/devices/plan_disk.hpp"
#include "qemu-driver/devices/plan_interface.hpp"
#include "qemu-driver/devices/plan_machine.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace vireo;
using namespace vireo::qemu;
using nlohmann::json;

namespace {

/// A small guest and everything that a plan looks at; each test changes what it is about.
struct Bench {
    DomainDef def;
    QemuCapabilities caps;
    LaunchFacts facts;
    DescriptorList descriptors{DescriptorList::Naming::numbers};

    Bench() {
        def.name = "guest";
        def.uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
        def.memory.total_kib = 219100;
        def.os.machine = "pc";
        def.features.emplace().acpi = true;
        MachineType pc;
        pc.name = "pc-i440fx-7.2";
        pc.alias = "pc";
        pc.default_cpu = "qemu64";
        pc.default_ram_id = "pc.ram";
        caps.binary = "/usr/bin/qemu";
        caps.machines = {pc};
        caps.block_drivers = {"nvme"};
        caps.netdev_types = {"tap", "user"};
        caps.file_aio = {"native", "threads"};
        caps.chardev_types = {"pty", "socket", "file", "null"};
        caps.types = {"isa-serial", "e1000"};
        CpuModel model;
        model.name = "qemu64";
        caps.tcg_cpu_models = {model};
        facts.private_dir = "/run/guest";
        facts.channel_dir = "/run/channels";
        ControllerDef root;
        root.type = ControllerType::pci;
        root.index = 0;
        root.model = PciModel::pci_root;
        root.info.alias = "pci.0";
        def.devices.controllers.push_back(root);
    }

    template <class Function, class Device>
    Plan plan(Function function, const Device& device) {
        const BootOrder boot(def);
        return function(PlanContext{def, caps, facts, descriptors, boot}, device);
    }

    LaunchRequest launch() const { return build_launch(def, caps, facts); }
};

DiskDef file_disk(const char* path, DiskFormat format) {
    DiskDef disk;
    FileSource source;
    source.path = path;
    disk.image.source = source;
    disk.image.format = format;
    disk.target.dev = "vda";
    disk.target.bus = DiskBus::virtio;
    disk.info.alias = "virtio-disk0";
    PciAddress at;
    at.slot = 4;
    disk.info.address = at;
    return disk;
}

DiskImage backing_file(const char* path) {
    DiskImage image;
    FileSource source;
    source.path = path;
    image.source = source;
    image.format = DiskFormat::qcow2;
    return image;
}

InterfaceDef virtio_card(InterfaceSource source) {
    InterfaceDef card;
    card.source = std::move(source);
    card.mac = "52:54:00:00:00:01";
    card.model = "virtio";
    card.info.alias = "net0";
    PciAddress at;
    at.slot = 3;
    card.info.address = at;
    return card;
}

bool has_pair(const std::vector<std::string>& argv, const std::string& a, const std::string& b) {
    for (size_t i = 0; i + 1 < argv.size(); ++i) {
        if (argv[i] == a && argv[i + 1] == b) {
            return true;
        }
    }
    return false;
}

/// A disk's images under their usual names.
Plan chain_of(const PlanContext& context, const DiskDef& disk) {
    return plan_disk_images(context, disk);
}

} // namespace

TEST_CASE("a comma in a value is doubled, so it stays data") {
    CHECK(OptionText().add("guest", "a,b=c").on_off("x", true).take() == "guest=a,,b=c,x=on");
    CHECK(OptionText("socket").add("id", "c").take() == "socket,id=c");
}

TEST_CASE("a disk is its storage, its format and its device, in that order") {
    Bench bench;
    bench.def.devices.disks = {file_disk("/images/a,b.qcow2", DiskFormat::qcow2)};
    bench.def.os.boot_devices = {BootDevice::hd};
    CHECK(assign_node_numbers(bench.def) == 1);
    const Plan plan = bench.plan(plan_disk, bench.def.devices.disks[0]);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].props == json::parse(R"({"driver":"file","filename":"/images/a,b.qcow2",
        "node-name":"libvirt-1-storage","auto-read-only":true,"discard":"unmap"})"));
    CHECK(plan[1].props == json::parse(R"({"driver":"qcow2","node-name":"libvirt-1-format",
        "read-only":false,"file":"libvirt-1-storage"})"));
    CHECK(plan[2].props == json::parse(R"({"driver":"virtio-blk-pci","bus":"pci.0","addr":"0x4",
        "drive":"libvirt-1-format","id":"virtio-disk0","bootindex":1})"));
    CHECK(plan[2].command == "device_add");
}

TEST_CASE("a backing chain is built from below, read-only, and ends where the document says") {
    Bench bench;
    DiskDef disk = file_disk("/top", DiskFormat::qcow2);
    DiskImage base = backing_file("/base");
    base.backing = DiskImage{};
    DiskImage middle = backing_file("/middle");
    middle.backing = base;
    disk.image.backing = middle;
    bench.def.devices.disks = {disk};
    assign_node_numbers(bench.def);
    const Plan plan = bench.plan(chain_of, bench.def.devices.disks[0]);
    REQUIRE(plan.size() == 6);
    CHECK(plan[0].props["filename"] == "/base");
    CHECK(plan[1].props["backing"].is_null());
    CHECK(plan[1].props.contains("backing"));
    CHECK(plan[1].props["read-only"] == true);
    CHECK(plan[3].props["backing"] == plan[1].props["node-name"]);
    CHECK(plan[5].props["backing"] == plan[3].props["node-name"]);
    CHECK(plan[5].props["read-only"] == false);
}

TEST_CASE("a chain of 200 images is no deeper than one of two") {
    Bench bench;
    DiskDef disk = file_disk("/top", DiskFormat::qcow2);
    for (int i = 0; i < 200; ++i) {
        DiskImage image = backing_file("/image");
        image.backing = std::move(disk.image.backing);
        disk.image.backing = std::move(image);
    }
    bench.def.devices.disks = {disk};
    CHECK(assign_node_numbers(bench.def) == 201);
    const Plan plan = bench.plan(chain_of, bench.def.devices.disks[0]);
    CHECK(plan.size() == 402);
}

TEST_CASE("node numbers count from the last disk and are not taken twice") {
    Bench bench;
    bench.def.devices.disks = {file_disk("/a", DiskFormat::raw), file_disk("/b", DiskFormat::raw)};
    bench.def.devices.disks[1].image.index = 7;
    CHECK(assign_node_numbers(bench.def, 9) == 10);
    CHECK(bench.def.devices.disks[0].image.index == 10U);
    CHECK(bench.def.devices.disks[1].image.index == 7U);
}

TEST_CASE("how the host caches decides what the guest sees and how images are opened") {
    Bench bench;
    DiskDef disk = file_disk("/a", DiskFormat::raw);
    disk.driver.cache = DiskCache::writethrough;
    bench.def.devices.disks = {disk};
    assign_node_numbers(bench.def);
    const Plan plan = bench.plan(plan_disk, bench.def.devices.disks[0]);
    CHECK(plan[0].props["cache"] == json::parse(R"({"direct":false,"no-flush":false})"));
    CHECK(plan[2].props["write-cache"] == "off");
}

TEST_CASE("an empty drive has a device and no images") {
    Bench bench;
    DiskDef disk = file_disk("", DiskFormat::raw);
    disk.image.source = FileSource{};
    disk.device = DiskDevice::cdrom;
    bench.def.devices.disks = {disk};
    assign_node_numbers(bench.def);
    const Plan plan = bench.plan(plan_disk, bench.def.devices.disks[0]);
    REQUIRE(plan.size() == 1);
    CHECK_FALSE(plan[0].props.contains("drive"));
}

TEST_CASE("what a disk cannot have is refused by name") {
    Bench bench;
    DiskDef disk = file_disk("/a", DiskFormat::cow);
    bench.def.devices.disks = {disk};
    assign_node_numbers(bench.def);
    CHECK_THROWS_WITH_AS(bench.plan(plan_disk, bench.def.devices.disks[0]),
                         "disk format 'cow' is not one that QEMU reads",
                         Error);
    bench.def.devices.disks[0].image.format = DiskFormat::raw;
    bench.def.devices.disks[0].driver.io = DiskIo::io_uring;
    CHECK_THROWS_AS(bench.plan(plan_disk, bench.def.devices.disks[0]), Error);
}

TEST_CASE("a bridged card gets a tap by descriptor, with vhost where KVM runs the guest") {
    Bench bench;
    bench.def.type = DomainType::kvm;
    BridgeSource bridge;
    bridge.bridge = "br0";
    InterfaceDef card = virtio_card(bridge);
    card.driver.queues = 2;
    const Plan plan = bench.plan(plan_interface, card);
    CHECK(plan[0].props == json::parse(R"({"type":"tap","fds":"3:4","vhost":true,
        "vhostfds":"5:6","id":"hostnet0"})"));
    CHECK(plan[1].props["mq"] == true);
    CHECK(plan[1].props["vectors"] == 6);
    const auto descriptors = bench.descriptors.take();
    REQUIRE(descriptors.size() == 4);
    CHECK(descriptors[0].kind == DescriptorKind::tap);
    CHECK(descriptors[0].path == "br0");
    CHECK(descriptors[0].virtio);
    CHECK(descriptors[0].multi_queue);
    CHECK(descriptors[3].kind == DescriptorKind::vhost_net);
    CHECK(descriptors[3].number == 6);
}

TEST_CASE("what nothing sets up on the host is refused by a start, not dropped") {
    Bench bench;
    InterfaceDef card = virtio_card(UserSource{});
    card.bandwidth.emplace();
    bench.def.devices.interfaces = {card};
    CHECK_THROWS_WITH_AS(refuse_missing_host_setup(bench.def),
                         "interface '52:54:00:00:00:01': <bandwidth> is not supported",
                         Error);
    bench.def.devices.interfaces.clear();
    CHECK_NOTHROW(refuse_missing_host_setup(bench.def));
    DiskDef disk = file_disk("/a", DiskFormat::raw);
    disk.transient.emplace();
    bench.def.devices.disks = {disk};
    CHECK_THROWS_WITH_AS(
        refuse_missing_host_setup(bench.def), "disk 'vda': <transient/> is not supported", Error);
}

TEST_CASE("a listening socket and a file of a serial port are passed as descriptors") {
    Bench bench;
    SerialDef serial;
    serial.info.alias = "serial0";
    serial.target_port = 0;
    UnixChardev socket;
    socket.mode = SocketMode::bind;
    socket.path = "/run/s.sock";
    serial.source.backend = socket;
    serial.source.log.emplace().file = "/log/s";
    const Plan plan = bench.plan(plan_serial, serial);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].option == "-add-fd");
    CHECK(plan[0].text == "set=0,fd=4,opaque=serial0-log");
    CHECK(plan[1].text ==
          "socket,id=charserial0,fd=3,server=on,wait=off,logfile=/dev/fdset/0,logappend=on");
    CHECK(plan[1].props["backend"]["type"] == "socket");
    CHECK(plan[1].props["backend"]["data"]["addr"]["data"]["str"] == "3");
    CHECK(plan[2].props == json::parse(R"({"driver":"isa-serial","chardev":"charserial0",
        "id":"serial0","index":0})"));
    const auto descriptors = bench.descriptors.take();
    REQUIRE(descriptors.size() == 2);
    CHECK(descriptors[0].kind == DescriptorKind::unix_listen);
    CHECK(descriptors[0].path == "/run/s.sock");
    CHECK(descriptors[1].kind == DescriptorKind::file_append);
}

TEST_CASE("hot-plug refers to descriptors by name") {
    DescriptorList list(DescriptorList::Naming::names);
    Descriptor fd;
    fd.owner = "net0";
    CHECK(list.pass(fd) == "fd-net0-3");
}

TEST_CASE("a channel's name cannot lead its socket out of the folder") {
    Bench bench;
    ChannelDef channel;
    channel.info.alias = "channel0";
    channel.target_type = ChannelTargetType::virtio;
    channel.target_name = "../../etc/x";
    CHECK_THROWS_AS(bench.plan(plan_channel, channel), Error);
}

TEST_CASE("boot places go to the first device of each class") {
    Bench bench;
    DiskDef cdrom = file_disk("/cd", DiskFormat::raw);
    cdrom.device = DiskDevice::cdrom;
    bench.def.devices.disks = {
        file_disk("/a", DiskFormat::raw), file_disk("/b", DiskFormat::raw), cdrom};
    bench.def.os.boot_devices = {BootDevice::cdrom, BootDevice::hd};
    const BootOrder order(bench.def);
    CHECK(order.of(bench.def.devices.disks[0].info) == 2U);
    CHECK_FALSE(order.of(bench.def.devices.disks[1].info));
    CHECK(order.of(bench.def.devices.disks[2].info) == 1U);
}

TEST_CASE("the command line of a small guest") {
    Bench bench;
    const LaunchRequest request = bench.launch();
    CHECK(has_pair(request.argv, "-name", "guest=guest,debug-threads=on"));
    CHECK(
        has_pair(request.argv, "-machine", "pc,usb=off,dump-guest-core=off,memory-backend=pc.ram"));
    CHECK(has_pair(request.argv, "-accel", "tcg"));
    CHECK(has_pair(request.argv, "-cpu", "qemu64"));
    CHECK(has_pair(request.argv, "-m", "214"));
    CHECK(has_pair(request.argv, "-smp", "1,sockets=1,cores=1,threads=1"));
    CHECK(has_pair(request.argv, "-rtc", "base=utc"));
    CHECK(has_pair(request.argv, "-display", "none"));
    REQUIRE(request.descriptors.size() == 1);
    CHECK(request.descriptors[0].kind == DescriptorKind::monitor);
    CHECK(request.descriptors[0].path == "/run/guest/monitor.sock");
}

TEST_CASE("a guest that this host cannot run is refused before anything starts") {
    Bench bench;
    bench.def.type = DomainType::kvm;
    CHECK_THROWS_WITH_AS(
        bench.launch(), "domain type 'kvm': KVM does not work on this host", Error);
    bench.def.type = DomainType::qemu;
    bench.def.os.machine = "pc-q35-99";
    CHECK_THROWS_WITH_AS(
        bench.launch(), "os type machine='pc-q35-99': '/usr/bin/qemu' does not have it", Error);
    bench.def.os.machine = "pc";
    bench.def.cpu.emplace().mode = CpuMode::host_model;
    CHECK_THROWS_AS(bench.launch(), Error);
    bench.def.cpu->mode = CpuMode::custom;
    bench.def.cpu->model.emplace().name = "no-such-cpu";
    CHECK_THROWS_AS(bench.launch(), Error);
    bench.def.cpu.reset();
    bench.def.memory_backing.emplace().hugepages.emplace();
    CHECK_THROWS_WITH_AS(
        bench.launch(), "<memoryBacking>: the host has no huge pages of its default size", Error);
    bench.facts.huge_pages.push_back({2048, "", true});
    CHECK_THROWS_WITH_AS(
        bench.launch(),
        "<memoryBacking>: no hugetlbfs with pages of 2048 KiB is mounted; mount one (mount -t "
        "hugetlbfs -o pagesize=2048K none FOLDER), or say <source type='memfd'/>, which needs none",
        Error);
    bench.def.memory_backing->source = MemoryBackingSource::memfd;
    CHECK_NOTHROW(bench.launch());
}

TEST_CASE("memory for enclaves is the machine's, where the host gives any") {
    Bench bench;
    MemoryDeviceDef memory;
    memory.model = MemoryDeviceModel::sgx_epc;
    memory.size_kib = 65536;
    memory.node = 1;
    memory.info.alias = "epc0";
    bench.def.devices.memories.push_back(memory);
    CHECK_THROWS_AS(bench.launch(), Error);
    bench.caps.types.insert("sgx-epc");
    const LaunchRequest request = bench.launch();
    CHECK(has_pair(request.argv,
                   "-machine",
                   "pc,usb=off,dump-guest-core=off,memory-backend=pc.ram,sgx-epc.0.memdev=memepc0,"
                   "sgx-epc.0.node=1"));
    CHECK(has_pair(
        request.argv,
        "-object",
        R"({"id":"memepc0","prealloc":true,"qom-type":"memory-backend-epc","size":67108864})"));
}

TEST_CASE("a variable clock starts at the host's time plus the adjustment") {
    Bench bench;
    bench.facts.now_s = 1234567890;
    bench.def.clock.offset = ClockOffset::variable;
    bench.def.clock.adjustment = "123456";
    CHECK(has_pair(bench.launch().argv, "-rtc", "base=2009-02-15T09:49:06"));
    bench.def.clock.adjustment = "12x";
    CHECK_THROWS_AS(bench.launch(), Error);
}
