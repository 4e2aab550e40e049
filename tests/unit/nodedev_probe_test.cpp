// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/probe.hpp"
#include "tests/support/host_tree.hpp"

#include <doctest/doctest.h>

using namespace vireo::nodedev;
using vireo::Sysfs;
using vireo::test::HostTree;

namespace {

const std::string pci_bus = "/sys/devices/pci0000:00";

std::string known_names(const std::string& modalias, const char* key) {
    if (modalias == "pci:v00008086" && std::string(key) == "ID_VENDOR_FROM_DATABASE") {
        return "Intel Corporation";
    }
    if (modalias == "pci:v00008086d000010C9" && std::string(key) == "ID_MODEL_FROM_DATABASE") {
        return "82576 Gigabit Network Connection";
    }
    return {};
}

ProbeSources sources(const HostTree& host) {
    return ProbeSources{.sysfs = Sysfs(host.root()), .names = known_names, .vpd = {}};
}

template <class T>
const T& as(const std::optional<NodeDevice>& device) {
    REQUIRE(device.has_value());
    REQUIRE(std::holds_alternative<T>(device->capability));
    return std::get<T>(device->capability);
}

void add_network_card(HostTree& host, const std::string& slot) {
    const std::string path = pci_bus + "/" + slot;
    host.device(path,
                "bus/pci",
                {{"vendor", "0x8086\n"},
                 {"device", "0x10c9\n"},
                 {"class", "0x020000\n"},
                 {"numa_node", "1\n"},
                 {"uevent", "DRIVER=igb\nPCI_CLASS=20000\nPCI_SLOT_NAME=" + slot + "\n"}});
    host.link(path + "/iommu_group", "/sys/kernel/iommu_groups/12");
    host.link("/sys/kernel/iommu_groups/12/devices/" + slot, path);
}

} // namespace

TEST_CASE("a PCI function is named and described as libvirt does it") {
    HostTree host;
    add_network_card(host, "0000:02:00.0");
    add_network_card(host, "0000:02:00.1");
    const auto device = probe_device(sources(host), pci_bus + "/0000:02:00.0");
    const auto& pci = as<PciCapability>(device);
    CHECK(device->name == "pci_0000_02_00_0");
    CHECK(device->path == pci_bus + "/0000:02:00.0");
    CHECK(device->driver == "igb");
    CHECK(pci.class_code == 0x20000U);
    CHECK(pci.place == PciAddress{.domain = 0, .bus = 2, .slot = 0, .function = 0});
    CHECK(pci.vendor == NamedId{0x8086, "Intel Corporation"});
    CHECK(pci.product == NamedId{0x10c9, "82576 Gigabit Network Connection"});
    CHECK(pci.numa_node == 1U);
    REQUIRE(pci.iommu_group.has_value());
    CHECK(pci.iommu_group->number == 12);
    CHECK(pci.iommu_group->members == std::vector{PciAddress{0, 2, 0, 0}, PciAddress{0, 2, 0, 1}});
    CHECK_FALSE(pci.virtual_functions.has_value());
    CHECK_FALSE(pci.pcie.has_value());
}

TEST_CASE("a PCI function without node, group, driver or names has none of them") {
    HostTree host;
    const std::string path = pci_bus + "/0000:00:1f.2";
    host.device(
        path, "bus/pci", {{"vendor", "0x1af4\n"}, {"device", "0x1041\n"}, {"numa_node", "-1\n"}});
    const auto device = probe_device(sources(host), path);
    const auto& pci = as<PciCapability>(device);
    CHECK(device->name == "pci_0000_00_1f_2");
    CHECK_FALSE(device->driver.has_value());
    CHECK_FALSE(pci.numa_node.has_value());
    CHECK_FALSE(pci.iommu_group.has_value());
    CHECK_FALSE(pci.class_code.has_value());
    CHECK(pci.vendor == NamedId{0x1af4, ""});
}

TEST_CASE("SR-IOV links lead to the physical and the virtual functions") {
    HostTree host;
    const std::string physical = pci_bus + "/0000:02:00.0";
    const std::string virt = pci_bus + "/0000:02:10.0";
    add_network_card(host, "0000:02:00.0");
    add_network_card(host, "0000:02:10.0");
    host.write(physical + "/sriov_totalvfs", "7\n");
    host.link(physical + "/virtfn0", virt);
    host.link(virt + "/physfn", physical);
    const auto pf = probe_device(sources(host), physical);
    const auto vf = probe_device(sources(host), virt);
    REQUIRE(as<PciCapability>(pf).virtual_functions.has_value());
    CHECK(*as<PciCapability>(pf).virtual_functions ==
          VirtualFunctions{.max_count = 7, .addresses = {PciAddress{0, 2, 16, 0}}});
    CHECK(as<PciCapability>(vf).physical_function->address == PciAddress{0, 2, 0, 0});
}

TEST_CASE("a PCI device whose attributes are missing or senseless is not listed") {
    HostTree host;
    const std::string path = pci_bus + "/0000:00:03.0";
    host.device(path, "bus/pci", {{"vendor", "0x8086\n"}});
    CHECK_FALSE(probe_device(sources(host), path).has_value());
    host.write(path + "/device", "many\n");
    CHECK_FALSE(probe_device(sources(host), path).has_value());
    host.device(pci_bus + "/no-address", "bus/pci", {{"vendor", "0x1"}, {"device", "0x1"}});
    CHECK_FALSE(probe_device(sources(host), pci_bus + "/no-address").has_value());
    CHECK_FALSE(probe_device(sources(host), pci_bus + "/gone").has_value());
}

TEST_CASE("USB devices and their interfaces are told apart") {
    HostTree host;
    const std::string hub = pci_bus + "/0000:00:14.0/usb1";
    host.device(hub,
                "bus/usb",
                {{"idVendor", "1d6b\n"},
                 {"idProduct", "0002\n"},
                 {"busnum", "1\n"},
                 {"devnum", "1\n"},
                 {"manufacturer", "Linux 6.1 xhci-hcd\n"},
                 {"uevent", "MAJOR=189\nMINOR=0\nDEVNAME=bus/usb/001/001\nDEVTYPE=usb_device\n"}});
    host.device(hub + "/1-0:1.0",
                "bus/usb",
                {{"bInterfaceNumber", "00\n"},
                 {"bInterfaceClass", "09\n"},
                 {"bInterfaceSubClass", "00\n"},
                 {"bInterfaceProtocol", "1a\n"},
                 {"uevent", "DEVTYPE=usb_interface\nDRIVER=hub\n"}});
    host.write("/run/udev/data/c189:0", "E:ID_MODEL_FROM_DATABASE=2.0 root hub\n");
    const auto device = probe_device(sources(host), hub);
    const auto& usb = as<UsbDeviceCapability>(device);
    CHECK(device->name == "usb_usb1");
    CHECK(device->devnode == "/dev/bus/usb/001/001");
    CHECK(usb.bus == 1);
    CHECK(usb.device == 1);
    CHECK(usb.vendor == NamedId{0x1d6b, "Linux 6.1 xhci-hcd"});
    CHECK(usb.product == NamedId{2, "2.0 root hub"});
    const auto interface = probe_device(sources(host), hub + "/1-0:1.0");
    CHECK(interface->name == "usb_1_0_1_0");
    CHECK(as<UsbInterfaceCapability>(interface) ==
          UsbInterfaceCapability{
              .number = 0, .class_code = 9, .subclass = 0, .protocol = 26, .description = {}});
}

TEST_CASE("a network interface carries its address in its name") {
    HostTree host;
    const std::string path = pci_bus + "/0000:02:00.0/net/eth0";
    host.device(path,
                "class/net",
                {{"address", "52:54:00:AB:cd:ef\n"},
                 {"operstate", "up\n"},
                 {"speed", "10000\n"},
                 {"uevent", "INTERFACE=eth0\nIFINDEX=2\n"}});
    const auto up = probe_device(sources(host), path);
    CHECK(up->name == "net_eth0_52_54_00_AB_cd_ef");
    CHECK(as<NetCapability>(up).link.speed_mbit == 10000);
    CHECK(as<NetCapability>(up).link.state == LinkState::up);
    CHECK(as<NetCapability>(up).medium == NetMedium{NetKind::ethernet});
    host.write(path + "/operstate", "down\n");
    host.write(path + "/uevent", "INTERFACE=eth0\nIFINDEX=2\nDEVTYPE=wlan\n");
    const auto down = probe_device(sources(host), path);
    CHECK(as<NetCapability>(down).link.speed_mbit == 0);
    CHECK(as<NetCapability>(down).medium == NetMedium{NetKind::wireless});
}

TEST_CASE("a disk takes what udev knows of it; its serial is part of its name") {
    HostTree host;
    const std::string path = pci_bus + "/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda";
    host.device(path,
                "class/block",
                {{"size", "195371568\n"},
                 {"queue/logical_block_size", "4096\n"},
                 {"device/vendor", "ATA     \n"},
                 {"device/model", "HTS721010G9SA00 \n"},
                 {"uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n"}});
    host.write("/run/udev/data/b8:0",
               "S:disk/by-id/ata-HTS\nS:disk/by-diskseq/1\nW:1\nE:ID_BUS=ata\nE:ID_TYPE=disk\n"
               "E:ID_SERIAL=HTS_MPCZ-12\n");
    const auto device = probe_device(sources(host), path);
    const auto& disk = as<StorageCapability>(device);
    CHECK(device->name == "block_sda_HTS_MPCZ_12");
    CHECK(device->devnode == "/dev/sda");
    CHECK(device->devlinks ==
          std::vector<std::string>{"/dev/disk/by-diskseq/1", "/dev/disk/by-id/ata-HTS"});
    CHECK(disk.bus == "ata");
    CHECK(disk.drive_type == "disk");
    CHECK(disk.serial == "HTS_MPCZ-12");
    CHECK(disk.vendor == "ATA");
    CHECK(disk.model == "HTS721010G9SA00");
    CHECK(disk.size == 195371568ULL * 512);
    CHECK(disk.logical_block_size == 4096);
    CHECK(disk.num_blocks == 195371568ULL / 8);
    CHECK_FALSE(disk.removable.has_value());
}

TEST_CASE("an empty optical drive has no size, a loaded one has its medium's") {
    HostTree host;
    const std::string path = pci_bus + "/0000:00:1f.2/block/sr0";
    host.device(path,
                "class/block",
                {{"size", "2048\n"},
                 {"queue/logical_block_size", "2048\n"},
                 {"removable", "1\n"},
                 {"uevent", "MAJOR=11\nMINOR=0\nDEVNAME=sr0\nDEVTYPE=disk\n"}});
    host.write("/run/udev/data/b11:0", "E:ID_TYPE=cd\nE:ID_CDROM=1\n");
    const auto empty = probe_device(sources(host), path);
    CHECK(as<StorageCapability>(empty).drive_type == "cdrom");
    CHECK(as<StorageCapability>(empty).removable == RemovableMedia{});
    CHECK(as<StorageCapability>(empty).size == 0);
    host.write("/run/udev/data/b11:0", "E:ID_TYPE=cd\nE:ID_CDROM_MEDIA=1\nE:ID_FS_LABEL=Debian\n");
    const auto loaded = probe_device(sources(host), path);
    CHECK(as<StorageCapability>(loaded).removable == RemovableMedia{.available = true,
                                                                    .size = 2048 * 512,
                                                                    .label = "Debian",
                                                                    .logical_block_size = 2048,
                                                                    .num_blocks = 512});
    CHECK(as<StorageCapability>(loaded).size == 0);
}

TEST_CASE("partitions, loop devices and disks without node are not listed") {
    HostTree host;
    const std::string disk = "/sys/devices/virtual/block";
    host.device(disk + "/loop0",
                "class/block",
                {{"uevent", "MAJOR=7\nMINOR=0\nDEVNAME=loop0\nDEVTYPE=disk\n"}});
    host.device(disk + "/vda1",
                "class/block",
                {{"uevent", "MAJOR=254\nMINOR=1\nDEVNAME=vda1\nDEVTYPE=partition\n"}});
    host.device(disk + "/nvme0c0n1", "class/block", {{"uevent", "DEVTYPE=disk\n"}});
    for (const char* name : {"/loop0", "/vda1", "/nvme0c0n1"}) {
        CAPTURE(std::string(name));
        CHECK_FALSE(probe_device(sources(host), disk + name).has_value());
    }
}

TEST_CASE("the computer is described by its firmware, and has an id without it") {
    HostTree host;
    const std::string dmi = "/sys/devices/virtual/dmi/id/";
    host.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    const NodeDevice bare = probe_computer(sources(host));
    CHECK(bare.name == "computer");
    CHECK(std::get<SystemCapability>(bare.capability).uuid ==
          "01234567-89ab-cdef-0123-456789abcdef");
    host.write(dmi + "product_uuid", "00000000-0000-0000-0000-000000000000\n");
    CHECK(std::get<SystemCapability>(probe_computer(sources(host)).capability).uuid ==
          "01234567-89ab-cdef-0123-456789abcdef");
    host.write(dmi + "product_uuid", "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2\n");
    host.write(dmi + "sys_vendor", "LENOVO\n");
    host.write(dmi + "bios_date", "01/02/2020\n");
    const NodeDevice described = probe_computer(sources(host));
    const auto& system = std::get<SystemCapability>(described.capability);
    CHECK(system.uuid == "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2");
    CHECK(system.vendor == "LENOVO");
    CHECK(system.firmware_date == "01/02/2020");
    CHECK(system.product.empty());
}

TEST_CASE("each device is found once, parents before what hangs below them") {
    HostTree host;
    add_network_card(host, "0000:02:00.0");
    host.device(pci_bus + "/0000:02:00.0/net/eth0", "class/net", {{"uevent", "INTERFACE=eth0\n"}});
    host.link("/sys/class/net/again", pci_bus + "/0000:02:00.0/net/eth0");
    CHECK(device_paths(sources(host)) ==
          std::vector<std::string>{pci_bus + "/0000:02:00.0", pci_bus + "/0000:02:00.0/net/eth0"});
}

TEST_CASE("a host without sysfs has the computer only") {
    HostTree host;
    CHECK(device_paths(sources(host)).empty());
    CHECK(probe_computer(sources(host)).name == "computer");
}
