// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/normalized_ranges.hpp"
#include "tests/support/model_bench.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;
using vireo::testing::completed;
using vireo::testing::guest;
using vireo::testing::refusal;

TEST_CASE("a bare guest gets machine, CPU, clock and devices") {
    const DomainDef def = completed(guest(""));
    CHECK(def.uuid == "00000000-0000-4000-8000-000000000000");
    CHECK(def.devices.emulator == "/usr/bin/qemu");
    CHECK(def.cpu->model->name == "qemu64");
    CHECK(def.memory.current_kib == 1048576U);
    CHECK(def.vcpus.placement == Placement::static_);
    CHECK(def.on_reboot == LifecycleAction::restart);
    CHECK(def.os.boot_devices == std::vector{BootDevice::hd});
    REQUIRE(def.devices.inputs.size() == 2);
    CHECK(def.devices.memballoon->model == MemballoonModel::virtio);
    REQUIRE(def.devices.audios.size() == 1);
    CHECK(def.devices.audios[0].type == AudioType::none);
}

TEST_CASE("a bare document means little to any hypervisor") {
    const DomainDef def = completed(guest(""), {.any_hypervisor = true});
    CHECK_FALSE(def.cpu);
    CHECK_FALSE(def.devices.emulator);
    CHECK(def.devices.inputs.empty());
    CHECK(def.on_reboot == LifecycleAction::restart);
}

TEST_CASE("disks get bus and place from their names, and stand in their order") {
    const DomainDef def =
        completed(guest("<disk><source file='/b'/><target dev='sdb' bus='scsi'/></disk>"
                        "<disk><source file='/a'/><target dev='sda' bus='scsi'/></disk>"
                        "<disk device='cdrom'><target dev='hdc'/></disk>"));
    const auto& disks = def.devices.disks;
    CHECK(disks[0].target.dev == "sda");
    CHECK(*disks[1].info.drive() ==
          DriveAddress{.controller = 0, .bus = 0, .target = 0, .unit = 1});
    CHECK(disks[2].target.bus == DiskBus::ide);
    CHECK(*disks[2].info.drive() ==
          DriveAddress{.controller = 0, .bus = 1, .target = 0, .unit = 0});
    CHECK(disks[2].readonly);
    CHECK(disks[0].image.format == DiskFormat::raw);
}

TEST_CASE("USB 2 controllers in a row share an index, another set begins a new one") {
    const DomainDef def = completed(guest("<controller type='usb' model='ich9-ehci1'/>"
                                          "<controller type='usb' model='ich9-uhci1'/>"
                                          "<controller type='usb' model='qemu-xhci'/>"
                                          "<controller type='usb' model='ich9-ehci1'/>"
                                          "<controller type='usb' model='ich9-uhci1'/>"));
    std::vector<uint32_t> indexes;
    for (const ControllerDef& c : def.devices.controllers) {
        if (c.type == ControllerType::usb) {
            indexes.push_back(*c.index);
        }
    }
    CHECK(indexes == std::vector<uint32_t>{0, 0, 1, 2, 2});
}

TEST_CASE("what is said of several vCPUs is said of each") {
    const DomainDef def = completed(
        guest("",
              "<cputune><vcpusched vcpus='0-2,^1' scheduler='fifo' priority='1'/>"
              "<vcpupin vcpu='9' cpuset='0'/><vcpupin vcpu='1' cpuset='2,0-1'/></cputune>"));
    REQUIRE(def.cputune->vcpu_schedulers.size() == 2);
    CHECK(def.cputune->vcpu_schedulers[1].ids == "2");
    REQUIRE(def.cputune->vcpu_pins.size() == 1); // there is no vCPU 9
    CHECK(def.cputune->vcpu_pins[0].cpuset == "0-2");
    CHECK(refusal(guest("",
                        "<cputune><vcpusched vcpus='0-1' scheduler='batch'/>"
                        "<vcpusched vcpus='1' scheduler='idle'/></cputune>")) ==
          "line 4: <vcpusched>: there are two for '1'; name it in one of them");
}

TEST_CASE("the host's advice places unpinned vCPUs") {
    const char* advised = "<numatune><memory mode='strict' placement='auto'/></numatune>";
    CHECK(completed(guest("", advised)).vcpus.placement == Placement::auto_);
    CHECK(
        completed(
            guest("", fmt::format("{}<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>", advised)))
            .vcpus.placement == Placement::static_);
}

TEST_CASE("nodes are not named where the host chooses them, nor for pages where there are none") {
    const DomainDef def =
        completed(guest("",
                        "<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='0'/>"
                        "</hugepages></memoryBacking>"
                        "<numatune><memory mode='preferred' placement='auto' nodeset='1-2'/>"
                        "</numatune>"));
    CHECK_FALSE(def.numatune->memory->nodeset);
    CHECK_FALSE(def.memory_backing->hugepages->pages.front().nodeset);
}

TEST_CASE("vCPUs without a NUMA cell are in the first, distances hold both ways") {
    const DomainDef def = completed(
        guest("",
              "<cpu><numa><cell id='0' memory='524288'/><cell id='1' cpus='1' memory='524288'>"
              "<distances><sibling id='0' value='21'/></distances></cell></numa></cpu>"));
    const auto& cells = def.cpu->cells;
    CHECK(cells[0].cpus == "0,2-3");
    CHECK(cells[1].cpus == "1");
    REQUIRE(cells[0].distances.size() == 2);
    CHECK(cells[0].distances[0].value == 10);
    CHECK(cells[0].distances[1].id == 1);
    CHECK(cells[0].distances[1].value == 21);
    CHECK(cells[1].distances[0].value == 21);
    CHECK(cells[1].distances[1].value == 10);
}

TEST_CASE("the highest limit that can be written is none") {
    CHECK_FALSE(completed(guest("", "<memtune><hard_limit>9007199254740991</hard_limit></memtune>"))
                    .memtune->hard_limit_kib);
    CHECK(completed(guest("", "<memtune><hard_limit>9007199254740990</hard_limit></memtune>"))
              .memtune->hard_limit_kib == 9007199254740990U);
}

TEST_CASE("only virtio's packets have offloads and queues") {
    const auto card = [](const char* model) {
        return completed(guest(fmt::format("<interface type='user'><model type='{}'/>"
                                           "<driver name='qemu' queues='2'/></interface>",
                                           model)))
            .devices.interfaces[0]
            .driver.queues;
    };
    CHECK(card("virtio") == 2U);
    CHECK_FALSE(card("e1000"));
}

TEST_CASE("a UEFI without a place for its variables gets a file") {
    const char* os = "<domain type='kvm'><name>g</name><memory>1024</memory><os>"
                     "<type arch='x86_64' machine='pc'>hvm</type>"
                     "<loader readonly='yes' type='pflash'{}>/c.fd</loader></os>"
                     "<features><acpi/></features></domain>";
    CHECK(completed(fmt::format(fmt::runtime(os), "")).os.nvram->path ==
          "/var/lib/vireo/nvram/g_VARS.fd");
    CHECK_FALSE(completed(fmt::format(fmt::runtime(os), " stateless='yes'")).os.nvram);
}

TEST_CASE("metadata keeps the first element of each namespace") {
    const DomainDef def = completed(guest("",
                                          "<metadata><a:x xmlns:a='urn:a'>1</a:x>"
                                          "<b:x xmlns:b='urn:a'>2</b:x><c/></metadata>"));
    CHECK(def.metadata->text == "<metadata><a:x xmlns:a=\"urn:a\">1</a:x></metadata>");
}

TEST_CASE("PCI devices get places that are free, and keep those they have") {
    const DomainDef def =
        completed(guest("<interface type='user'><address type='pci' slot='3'/></interface>"
                        "<interface type='user'/>"));
    const auto& cards = def.devices.interfaces;
    CHECK(cards[0].info.pci()->slot == 3);
    CHECK(cards[1].info.pci()->slot == 2);
    CHECK(def.devices.memballoon->info.pci()->slot == 4);
    CHECK(refusal(guest("<interface type='user'><address type='pci' slot='3'/></interface>\n"
                        "<interface type='user'><address type='pci' slot='3'/></interface>")) ==
          "line 6: <address>: PCI address 0000:00:03.0 is used twice; give one of the devices "
          "another place");
}

TEST_CASE("on q35 each device gets a root port, and one is left for another") {
    const DomainDef def =
        completed(guest("<interface type='user'><model type='virtio'/></interface>", "", "q35"));
    std::size_t ports = 0;
    for (const ControllerDef& c : def.devices.controllers) {
        ports += c.is_pci(PciModel::pcie_root_port) ? 1 : 0;
    }
    CHECK(def.devices.interfaces[0].info.pci()->bus == 1);
    CHECK(ports == 4); // the card, USB, the balloon, and a spare one
}

TEST_CASE("devices get libvirt's names, a user's own stay") {
    DomainDef def = completed(guest("<disk><source file='/a'/><target dev='hda' bus='ide'/></disk>"
                                    "<interface type='user'><alias name='ua-lan'/></interface>"
                                    "<interface type='user'/>"));
    assign_aliases(def);
    CHECK(def.devices.disks[0].info.alias == "ide0-0-0");
    CHECK(def.devices.interfaces[0].info.alias == "ua-lan");
    CHECK(def.devices.interfaces[1].info.alias == "net0");
    CHECK(def.devices.memballoon->info.alias == "balloon0");
}

TEST_CASE("a definition shows nothing of the running guest") {
    const std::string text = guest("<serial type='pty'><source path='/dev/pts/3'/></serial>"
                                   "<interface type='user'><alias name='net0'/></interface>"
                                   "<interface type='user'><alias name='ua-x'/></interface>");
    const DomainDef def = parse_domain(text);
    CHECK_FALSE(def.devices.interfaces[0].info.alias);
    CHECK(def.devices.interfaces[1].info.alias == "ua-x");
    CHECK_FALSE(std::get<PtyChardev>(def.devices.serials[0].source.backend).path);
    CHECK(parse_domain(text, true).devices.interfaces[0].info.alias == "net0");
}

TEST_CASE("sets of numbers have one form") {
    CHECK(normalized_ranges("4,0-2,^1,5", {}, "vcpu") == "0,2,4-5");
    CHECK(ids_of("0-3,^2", {}, "vcpu") == std::set<uint32_t>{0, 1, 3});
    for (const char* wrong : {"", "a", "3-1", "1,", "^1", "99999"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(normalized_ranges(wrong, {.line = 3}, "vcpu"), Error);
    }
}
