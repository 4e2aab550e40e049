// SPDX-License-Identifier: LGPL-2.1-or-later
// The ways to give an NVMe drive to a guest: which there are, in which order, what stands in the
// way.
#include "libshared/error.hpp"
#include "nodedev-driver/actions/plan_attach.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "tests/support/device_tree.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace vireo;
using namespace vireo::nodedev;
using namespace vireo::test;

namespace {

constexpr PciAddress drive{.domain = 0, .bus = 1, .slot = 0, .function = 0};

SpaceFacts space(uint32_t id) {
    return {.name = fmt::format("block_nvme0n{}", id),
            .id = id,
            .block = fmt::format("/dev/disk/by-id/nvme-eui.{}", id),
            .generic = fmt::format("/dev/ng0n{}", id),
            .lba_size = 4096,
            .metadata_size = 0,
            .uses = {}};
}

/// A drive that can be given away at once.
ControllerFacts free_drive(uint32_t spaces) {
    ControllerFacts facts{.function = "pci_0000_01_00_0",
                          .address = drive,
                          .host_driver = "nvme",
                          .holder = {},
                          .iommu = true,
                          .blocked_group = {},
                          .virtual_functions = 0,
                          .uses = {},
                          .spaces = {}};
    for (uint32_t id = 1; id <= spaces; ++id) {
        facts.spaces.push_back(space(id));
    }
    return facts;
}

AttachRequest ask(std::string space, std::vector<AttachWish> wishes = {}) {
    return {.wishes = std::move(wishes), .space = std::move(space), .io_uring = true};
}

using Kinds = std::vector<AttachKind>;

Kinds kinds(const std::vector<Attachment>& ways) {
    Kinds found;
    for (const Attachment& way : ways) {
        found.push_back(way.kind);
    }
    return found;
}

const Attachment& way_by(const std::vector<Attachment>& ways, AttachKind kind) {
    const auto found = std::ranges::find(ways, kind, &Attachment::kind);
    REQUIRE(found != ways.end());
    return *found;
}

std::vector<ObstacleKind> obstacles(const Attachment& way) {
    std::vector<ObstacleKind> found;
    for (const Obstacle& each : way.obstacles) {
        found.push_back(each.kind);
    }
    return found;
}

/// The document as qemud reads it, which refuses what it does not know.
qemu::DomainDef domain_with(const std::string& device, const std::string& beside = {}) {
    return qemu::parse_domain("<domain type='kvm'><name>g</name><memory>65536</memory>"
                              "<os><type arch='x86_64'>hvm</type></os><devices>" +
                              device + "</devices>" + beside + "</domain>");
}

} // namespace

TEST_CASE("each way's document is one that qemud reads") {
    const auto ways = plan_attachments(free_drive(1), ask("block_nvme0n1"));
    CHECK(
        kinds(ways) ==
        Kinds{AttachKind::nvme, AttachKind::hostdev, AttachKind::block, AttachKind::nvme_io_uring});
    const auto nvme = domain_with(way_by(ways, AttachKind::nvme).xml);
    REQUIRE(nvme.devices.disks.size() == 1);
    const auto& source = std::get<qemu::NvmeSource>(nvme.devices.disks.front().image.source);
    CHECK(source.namespace_id == 1);
    CHECK(source.managed == qemu::YesNo::yes);
    CHECK(source.controller.bus == 1);
    const auto block = domain_with(way_by(ways, AttachKind::block).xml);
    REQUIRE(block.devices.disks.size() == 1);
    CHECK(std::holds_alternative<qemu::BlockSource>(block.devices.disks.front().image.source));
    CHECK(way_by(ways, AttachKind::block).xml.find("dev='/dev/disk/by-id/nvme-eui.1'") !=
          std::string::npos);
    const auto hostdev = domain_with(way_by(ways, AttachKind::hostdev).xml);
    REQUIRE(hostdev.devices.hostdevs.size() == 1);
    CHECK(hostdev.devices.hostdevs.front().type() == qemu::HostdevType::pci);
    CHECK(hostdev.devices.hostdevs.front().managed == qemu::YesNo::yes);
    const auto uring = domain_with("", way_by(ways, AttachKind::nvme_io_uring).xml);
    REQUIRE(uring.qemu_commandline.has_value());
    REQUIRE(uring.qemu_commandline->args.size() == 4);
    CHECK(uring.qemu_commandline->args[1].find(R"("path":"/dev/ng0n1")") != std::string::npos);
}

TEST_CASE("a target and a path that XML must quote are data") {
    CHECK(block_disk_xml("/dev/a'<b>&", "vdb").find("dev='/dev/a&apos;&lt;b&gt;&amp;'") !=
          std::string::npos);
    CHECK(domain_with(nvme_disk_xml(drive, 7, "sdq")).devices.disks.front().target.dev == "sdq");
}

TEST_CASE("wishes decide the order: what grants most of them comes first") {
    const auto first = [](std::vector<AttachWish> wishes, uint32_t spaces = 1) {
        const auto ways =
            plan_attachments(free_drive(spaces), ask("block_nvme0n1", std::move(wishes)));
        return ways.front().kind;
    };
    CHECK(first({}) == AttachKind::nvme);
    CHECK(first({AttachWish::lowest_latency}) == AttachKind::hostdev);
    CHECK(first({AttachWish::virtio_mem}) == AttachKind::hostdev);
    CHECK(first({AttachWish::virtio_mem, AttachWish::snapshots}) == AttachKind::block);
    CHECK(first({AttachWish::keep_host_driver}) == AttachKind::block);
    CHECK(first({AttachWish::live_migration, AttachWish::snapshots}) == AttachKind::nvme);
    CHECK(first({AttachWish::namespace_only}, 1) == AttachKind::nvme);
    CHECK(first({AttachWish::namespace_only}, 2) == AttachKind::block); // nvme takes both
    const auto by_speed =
        plan_attachments(free_drive(1), ask("block_nvme0n1", {AttachWish::lowest_latency}));
    CHECK(
        kinds(by_speed) ==
        Kinds{AttachKind::hostdev, AttachKind::nvme, AttachKind::nvme_io_uring, AttachKind::block});
}

TEST_CASE("what nothing stands in the way of comes before what something does") {
    ControllerFacts facts = free_drive(2);
    facts.spaces[1].uses = {{"mount", "/srv", "/dev/nvme0n2"}};
    const auto ways = plan_attachments(facts, ask("block_nvme0n1"));
    CHECK(ways.front().kind == AttachKind::block); // the other namespace is mounted
    CHECK(ways.front().obstacles.empty());
    const Attachment& nvme = way_by(ways, AttachKind::nvme);
    REQUIRE(nvme.obstacles.size() == 1);
    CHECK(nvme.obstacles.front() ==
          Obstacle{ObstacleKind::in_use,
                   "the host uses it: mount '/srv' (/dev/nvme0n2)",
                   "unmount it (umount) and take it out of /etc/fstab: /srv"});
    CHECK(nvme.notes.back() == "the host loses the controller's other namespaces: 2");
}

TEST_CASE("all that keeps VFIO from a drive is told, and block needs the host's driver alone") {
    ControllerFacts facts = free_drive(1);
    facts.holder = "domain/1";
    facts.iommu = false;
    facts.blocked_group = "IOMMU group 7: 0000:01:00.0 (nvme), 0000:01:00.1 (igb)";
    facts.host_driver = "uio_pci_generic";
    facts.virtual_functions = 3;
    facts.uses = {{"open", "nvme (process 7)", "/dev/nvme0"}};
    const auto ways = plan_attachments(facts, ask("block_nvme0n1"));
    const std::vector all{ObstacleKind::held,
                          ObstacleKind::no_iommu,
                          ObstacleKind::group,
                          ObstacleKind::driver,
                          ObstacleKind::virtual_functions,
                          ObstacleKind::in_use};
    CHECK(obstacles(way_by(ways, AttachKind::nvme)) == all);
    CHECK(obstacles(way_by(ways, AttachKind::hostdev)) == all);
    CHECK(obstacles(way_by(ways, AttachKind::block)) == std::vector{ObstacleKind::driver});
    for (const Obstacle& each : way_by(ways, AttachKind::hostdev).obstacles) {
        CHECK_FALSE(each.text.empty());
        CHECK_FALSE(each.way_out.empty());
    }
    facts = free_drive(1);
    facts.host_driver = "vfio-pci"; // somebody bound it already: it can be taken
    CHECK(way_by(plan_attachments(facts, ask("")), AttachKind::hostdev).obstacles.empty());
    facts.holder = ""; // an administrator
    CHECK(obstacles(way_by(plan_attachments(facts, ask("")), AttachKind::hostdev)) ==
          std::vector{ObstacleKind::held});
}

TEST_CASE("formats that QEMU's driver does not take are told") {
    ControllerFacts facts = free_drive(1);
    facts.spaces[0].metadata_size = 8;
    facts.spaces[0].lba_size = 16384;
    const auto ways = plan_attachments(facts, ask("block_nvme0n1"));
    CHECK(obstacles(way_by(ways, AttachKind::nvme)) ==
          std::vector{ObstacleKind::metadata_format, ObstacleKind::lba_size});
    CHECK(way_by(ways, AttachKind::hostdev).obstacles.empty());
    facts.spaces[0].metadata_size = {}; // older kernels do not tell
    facts.spaces[0].lba_size = 512;
    CHECK(
        way_by(plan_attachments(facts, ask("block_nvme0n1")), AttachKind::nvme).obstacles.empty());
}

TEST_CASE("a whole controller with several namespaces goes by hostdev") {
    const auto ways = plan_attachments(free_drive(2), ask(""));
    CHECK(ways.front().kind == AttachKind::hostdev);
    CHECK(ways.size() == 7);
    CHECK(obstacles(way_by(ways, AttachKind::nvme)) ==
          std::vector{ObstacleKind::several_namespaces});
    CHECK(way_by(plan_attachments(free_drive(1), ask("")), AttachKind::nvme).obstacles.empty());
}

TEST_CASE("a controller over a network, and one that is not with its driver, have fewer ways") {
    ControllerFacts remote = free_drive(1);
    remote.address.reset();
    CHECK(kinds(plan_attachments(remote, ask(""))) ==
          Kinds{AttachKind::block, AttachKind::nvme_io_uring});
    ControllerFacts bare = free_drive(0);
    bare.host_driver = "vfio-pci";
    const auto ways = plan_attachments(bare, ask(""));
    CHECK(kinds(ways) == Kinds{AttachKind::nvme, AttachKind::hostdev});
    CHECK(ways.front().device == bare.function);
    AttachRequest without = ask("block_nvme0n1");
    without.io_uring = false;
    CHECK(plan_attachments(free_drive(1), without).size() == 3);
}

TEST_CASE("500 namespaces in use make 500 short answers") {
    ControllerFacts facts = free_drive(500);
    for (SpaceFacts& each : facts.spaces) {
        each.uses = {{"swap", "/dev/x", "/dev/x"}};
    }
    const auto ways = plan_attachments(facts, ask(""));
    CHECK(ways.size() == 1501);
    CHECK(way_by(ways, AttachKind::hostdev).obstacles.size() == 21);
    CHECK(way_by(ways, AttachKind::hostdev).obstacles.back().text ==
          "the host has 480 further uses for it");
}

namespace {

/// A drive with two namespaces on a host that is made up, and the driver that knows it.
struct Planned {
    Planned() : function(add_nvme_controller(host, "0000:01:00.0", 0)) {
        for (unsigned id = 1; id <= 2; ++id) {
            add_namespace(host, function + "/nvme/nvme0", 0, id);
        }
        host.write("/run/udev/data/b259:1",
                   "S:disk/by-path/pci-0000:01:00.0-nvme-1\nS:disk/by-id/nvme-QEMU_LAB0\n"
                   "S:disk/by-id/nvme-eui.0025385b61b0a4c1\n");
        host.link(function + "/driver", "/sys/bus/pci/drivers/nvme");
        host.link(function + "/iommu_group", "/sys/kernel/iommu_groups/7");
        host.link("/sys/kernel/iommu_groups/7/devices/0000:01:00.0", function);
        add_small_host(host);
        std::vector<NodeDevice> found{probe_computer(driver.sources)};
        for (const std::string& path : device_paths(driver.sources)) {
            if (auto device = probe_device(driver.sources, path)) {
                found.push_back(std::move(*device));
            }
        }
        driver.registry.assign(std::move(found));
    }

    std::vector<Attachment> plan(const std::string& above, const std::string& name) {
        return finish(
            loop, actions::plan_attach(driver, above, name, actions::AttachQuestion({}, "vdc")));
    }

    HostTree host;
    std::string function;
    Loop loop;
    Driver driver{
        loop,
        ProbeSources{.sysfs = Sysfs(host.root()),
                     .names = [](const std::string&, const char*) { return std::string(); },
                     .vpd = {}},
        host.root() / "leases"};
};

std::string refusal(Planned& made, const std::string& above, const std::string& name) {
    try {
        made.plan(above, name);
    } catch (const Error& error) {
        return error.what();
    }
    return "planned";
}

} // namespace

TEST_CASE("a namespace is planned with what the host knows of it") {
    Planned made;
    made.host.write("/proc/1/mountinfo", "36 1 259:2 / /srv rw - ext4 /dev/nvme0n2 rw\n");
    made.host.write("/proc/77/comm", "dd\n");
    made.host.link("/proc/77/fd/3", "/dev/nvme0");
    const auto ways = made.plan("computer", "block_nvme0n1");
    const Attachment& block = way_by(ways, AttachKind::block);
    CHECK(block.xml.find("dev='/dev/disk/by-id/nvme-eui.0025385b61b0a4c1'") != std::string::npos);
    CHECK(block.xml.find("dev='vdc'") != std::string::npos);
    CHECK(block.obstacles.empty());
    const Attachment& nvme = way_by(ways, AttachKind::nvme);
    CHECK(nvme.device == "block_nvme0n1");
    REQUIRE(nvme.obstacles.size() == 2);
    CHECK(nvme.obstacles[0].text == "the host uses it: open 'dd (process 77)' (/dev/nvme0)");
    CHECK(nvme.obstacles[1].text == "the host uses it: mount '/srv' (/dev/nvme0n2)");
    // Asked the other way round: the mounted one, of the controller and of the function.
    const auto mounted = made.plan("nvme_nvme0", "block_nvme0n2");
    CHECK(obstacles(way_by(mounted, AttachKind::block)) == std::vector{ObstacleKind::in_use});
    CHECK(way_by(mounted, AttachKind::block).xml.find("dev='/dev/nvme0n2'") != std::string::npos);
    CHECK(made.plan("nvme_nvme0", "").size() == made.plan("pci_0000_01_00_0", "").size());
}

TEST_CASE("a function without the host's driver, held by a guest, says so") {
    Planned made;
    made.host.remove(made.function + "/driver");
    made.host.link(made.function + "/driver", "/sys/bus/pci/drivers/vfio-pci");
    made.host.remove("/sys/class/nvme/nvme0");
    made.host.remove("/sys/class/block/nvme0n1");
    made.host.remove("/sys/class/block/nvme0n2");
    std::vector<NodeDevice> found;
    for (const std::string& path : device_paths(made.driver.sources)) {
        if (auto device = probe_device(made.driver.sources, path)) {
            found.push_back(std::move(*device));
        }
    }
    made.driver.registry.assign(std::move(found));
    Lease lease;
    lease.address = "0000:01:00.0";
    lease.holder = "domain/5";
    made.driver.leases.save(lease);
    const auto ways = made.plan("pci_0000_01_00_0", "");
    CHECK(kinds(ways) == Kinds{AttachKind::nvme, AttachKind::hostdev});
    REQUIRE(ways.front().obstacles.size() == 1);
    CHECK(ways.front().obstacles.front().text == "'pci_0000_01_00_0' is held by 'domain/5'");
}

TEST_CASE("what is no NVMe, not there, or not below the device that is asked is refused") {
    Planned made;
    CHECK(refusal(made, "computer", "pci_9") == "no node device with matching name 'pci_9'");
    CHECK(refusal(made, "pci_0000_00_03_0", "") ==
          "device 'pci_0000_00_03_0' is no NVMe controller and no namespace of one");
    CHECK(refusal(made, "computer", "") ==
          "device 'computer' is no NVMe controller and no namespace of one");
    CHECK(refusal(made, "block_nvme0n1", "block_nvme0n2") ==
          "device 'block_nvme0n2' does not hang on device 'block_nvme0n1'");
}
