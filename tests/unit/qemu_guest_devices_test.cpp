// SPDX-License-Identifier: LGPL-2.1-or-later
// Devices that join a running guest: their place in it, what they need, and what is refused.
#include "libshared/xml/parse.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "tests/support/model_bench.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;
using vireo::test::contains;
using vireo::testing::completed;
using vireo::testing::guest;
using vireo::testing::model_facts;

namespace {

/// A guest that runs, with these devices.
DomainDef running(const std::string& devices, std::string_view machine = "q35") {
    DomainDef def = completed(guest(devices, "", machine));
    def.id = 1;
    assign_aliases(def);
    return def;
}

std::string disk(const std::string& target, const std::string& bus, const std::string& more = {}) {
    return "<disk type='file' device='disk'><source file='/a.img' index='7'/><target dev='" +
           target + "' bus='" + bus + "'/>" + more + "</disk>\n";
}

const std::string ports = "<controller type='pci' index='1' model='pcie-root-port'/>\n"
                          "<controller type='pci' index='2' model='pcie-root-port'/>\n"
                          "<controller type='pci' index='3' model='pcie-root-port'/>\n"
                          "<controller type='pci' index='4' model='pcie-root-port'/>\n"
                          "<controller type='pci' index='5' model='pcie-root-port'/>\n"
                          "<controller type='pci' index='6' model='pcie-root-port'/>\n";

PlacedDevice place(const DomainDef& live, const std::string& device) {
    return placed_in(live, parse_device(device, false), model_facts());
}

std::string refusal_of(const DomainDef& live, const std::string& device) {
    try {
        place(live, device);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("a disk gets its defaults, a free place and the name that goes with its target") {
    const DomainDef live = running(ports);
    const PlacedDevice placed = place(live, disk("vdc", "virtio"));
    const DiskDef& added = std::get<DiskDef>(placed.device);
    CHECK(added.info.alias == "virtio-disk2");
    REQUIRE(added.info.pci() != nullptr);
    CHECK(find_device(live,
                      parse_device("<controller type='pci' index='" +
                                   std::to_string(added.info.pci()->bus) + "'/>")) > 0);
    CHECK(added.image.format == DiskFormat::raw);
    CHECK_FALSE(added.image.index.has_value()); // a number of another guest's
    CHECK(placed.controllers.empty());
}

TEST_CASE("a SCSI disk brings the controllers that it needs, of the kind that is there") {
    const DomainDef live =
        running("<controller type='scsi' index='0' model='virtio-scsi'/>\n" + ports);
    CHECK(place(live, disk("sda", "scsi")).controllers.empty());
    const PlacedDevice placed = place(
        live,
        disk("sdb", "scsi", "<address type='drive' controller='2' bus='0' target='0' unit='0'/>"));
    REQUIRE(placed.controllers.size() == 2);
    CHECK(placed.controllers[0].index == 1U);
    CHECK(placed.controllers[1].index == 2U);
    CHECK(placed.controllers[1].model_as<ScsiModel>() == ScsiModel::virtio_scsi);
    CHECK(placed.controllers[1].info.alias == "scsi2");
}

TEST_CASE("what has no place in a running guest is refused with what to do") {
    const DomainDef live = running(disk("vda", "virtio"));
    CHECK(contains(refusal_of(live, disk("vda", "virtio")),
                   "<disk>: the guest has a disk with target 'vda'; give this one another"));
    CHECK(contains(refusal_of(live, disk("sdb", "sata")),
                   "bus='sata' cannot be plugged into a running guest; take 'virtio'"));
    const std::string taken = "<alias name='ua-mine'/>";
    const DomainDef named = running(ports + disk("vda", "virtio", taken));
    CHECK(contains(refusal_of(named, disk("vdb", "virtio", taken)),
                   "the guest has a device with alias 'ua-mine'; give this one another"));
    CHECK_THROWS_WITH_AS(parse_device("<video/>"),
                         "line 1: <video> is not a device that can be attached, detached or "
                         "changed",
                         Error);
}

TEST_CASE("a device is found by what names its kind, joins in order, and leaves") {
    DomainDef live = running(ports + disk("vda", "virtio") + disk("vdc", "virtio") +
                             "<watchdog model='i6300esb'/>\n");
    add_device(live, place(live, disk("vdb", "virtio")).device);
    REQUIRE(live.devices.disks.size() == 3);
    CHECK(live.devices.disks[1].target.dev == "vdb");
    CHECK(find_device(live, parse_device(disk("vdc", "virtio"))) == 2);
    CHECK(find_device(live, parse_device("<watchdog model='i6300esb'/>")) == 0);
    CHECK_THROWS_WITH_AS(find_device(live, parse_device(disk("vdz", "virtio"))),
                         "the running guest has no disk 'vdz'",
                         Error);
    const auto named = device_named(live, "virtio-disk1");
    REQUIRE(named.has_value());
    CHECK(words_of(*named) == "disk 'vdb'");
    remove_device(live, *named, find_device(live, *named));
    CHECK(live.devices.disks.size() == 2);
    CHECK_FALSE(device_named(live, "virtio-disk1").has_value());
}

TEST_CASE("a USB disk gets a port where all others have theirs, and none where no port is free") {
    const std::string port = "<address type='usb' bus='0' port='1'/>";
    const std::string tablet = "<input type='tablet' bus='usb'>" + port + "</input>\n";
    const std::string uhci = "<controller type='usb' index='0' model='piix3-uhci'>"
                             "<address type='pci' domain='0' bus='0' slot='9'/></controller>\n";
    const DomainDef live = running(ports + uhci + tablet);
    const auto placed = std::get<DiskDef>(place(live, disk("sda", "usb")).device);
    REQUIRE(placed.info.usb() != nullptr);
    CHECK(placed.info.usb()->bus == 0);
    CHECK(xml::format(placed).find("port='2'") != std::string::npos);
    std::string second = tablet;
    second.replace(second.find("port='1'"), 8, "port='2'");
    CHECK(contains(refusal_of(running(ports + uhci + tablet + second), disk("sda", "usb")),
                   "no USB port is free; add a USB controller or a hub"));
}
