// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/parse.hpp"
#include "nodedev-driver/model/node_device.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::nodedev;

namespace {

/// Reading the written document gives the same device.
void check_round_trip(const NodeDevice& device, const std::string& document) {
    CHECK(format_device(device) == document);
    CHECK(xml::parse<NodeDevice>(document) == device);
}

void check_contains(const std::string& text, const std::string& part) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
}

std::string refusal(const std::string& document) {
    try {
        xml::parse<NodeDevice>(document);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::xml_error);
        return error.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("the computer is written without what is not known") {
    NodeDevice computer;
    computer.name = "computer";
    computer.capability = SystemCapability{.product = "20T0",
                                           .vendor = "LENOVO",
                                           .version = {},
                                           .serial = {},
                                           .uuid = "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2",
                                           .firmware_vendor = {},
                                           .firmware_version = {},
                                           .firmware_date = {}};
    check_round_trip(computer, R"(<device>
  <name>computer</name>
  <capability type='system'>
    <product>20T0</product>
    <hardware>
      <vendor>LENOVO</vendor>
      <uuid>70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2</uuid>
    </hardware>
    <firmware/>
  </capability>
</device>
)");
}

TEST_CASE("a PCI function is written with all its parts") {
    PciCapability pci;
    pci.class_code = 0x20000;
    pci.place = PciPlace{{.domain = 0, .bus = 2, .slot = 16, .function = 7}};
    pci.product = {0x10ca, "82576 Virtual Function"};
    pci.vendor = {0x8086, ""};
    pci.physical_function = PhysicalFunction{.address = {0, 2, 0, 1}};
    pci.virtual_functions = VirtualFunctions{.max_count = 7, .addresses = {PciAddress{0, 2, 0, 2}}};
    pci.header = PciHeader{PciBridge::pci};
    pci.iommu_group = IommuGroup{.number = 31, .members = {PciAddress{0, 2, 16, 7}}};
    pci.numa_node = 0;
    pci.pcie = PcieInfo{.capability = PcieLink{.port = 0, .speed = "2.5", .width = 4},
                        .status = PcieLink{.port = std::nullopt, .speed = "", .width = 0}};
    NodeDevice device;
    device.name = "pci_0000_02_10_7";
    device.path = "/sys/devices/pci0000:00/0000:02:10.7";
    device.parent = "computer";
    device.driver = "igbvf";
    device.capability = pci;
    check_round_trip(device, R"(<device>
  <name>pci_0000_02_10_7</name>
  <path>/sys/devices/pci0000:00/0000:02:10.7</path>
  <parent>computer</parent>
  <driver>
    <name>igbvf</name>
  </driver>
  <capability type='pci'>
    <class>0x020000</class>
    <domain>0</domain>
    <bus>2</bus>
    <slot>16</slot>
    <function>7</function>
    <product id='0x10ca'>82576 Virtual Function</product>
    <vendor id='0x8086'/>
    <capability type='phys_function'>
      <address domain='0x0000' bus='0x02' slot='0x00' function='0x1'/>
    </capability>
    <capability type='virt_functions' maxCount='7'>
      <address domain='0x0000' bus='0x02' slot='0x00' function='0x2'/>
    </capability>
    <capability type='pci-bridge'/>
    <iommuGroup number='31'>
      <address domain='0x0000' bus='0x02' slot='0x10' function='0x7'/>
    </iommuGroup>
    <numa node='0'/>
    <pci-express>
      <link validity='cap' port='0' speed='2.5' width='4'/>
      <link validity='sta' width='0'/>
    </pci-express>
  </capability>
</device>
)");
}

TEST_CASE("a disk is written with its nodes; a removable medium in a part of its own") {
    StorageCapability storage;
    storage.block = "/dev/sr0";
    storage.drive_type = "cdrom";
    storage.removable = RemovableMedia{.available = true,
                                       .size = 4096,
                                       .label = "A & B",
                                       .logical_block_size = 2048,
                                       .num_blocks = 2};
    NodeDevice device;
    device.name = "block_sr0";
    device.devnode = "/dev/sr0";
    device.devlinks = {"/dev/cdrom", "/dev/disk/by-id/x"};
    device.capability = storage;
    check_round_trip(device, R"(<device>
  <name>block_sr0</name>
  <devnode type='dev'>/dev/sr0</devnode>
  <devnode type='link'>/dev/cdrom</devnode>
  <devnode type='link'>/dev/disk/by-id/x</devnode>
  <capability type='storage'>
    <block>/dev/sr0</block>
    <drive_type>cdrom</drive_type>
    <capability type='removable'>
      <media_available>1</media_available>
      <media_size>4096</media_size>
      <media_label>A &amp; B</media_label>
      <logical_block_size>2048</logical_block_size>
      <num_blocks>2</num_blocks>
    </capability>
  </capability>
</device>
)");
}

TEST_CASE("a network interface is written with link, features and medium") {
    NodeDevice device;
    device.name = "net_eth0_52_54_00_00_00_01";
    device.capability = NetCapability{.interface = "eth0",
                                      .address = "52:54:00:00:00:01",
                                      .link = {.speed_mbit = 1000, .state = LinkState::up},
                                      .features = {NetFeature::rx, NetFeature::gso},
                                      .medium = NetMedium{NetKind::wireless}};
    check_round_trip(device, R"(<device>
  <name>net_eth0_52_54_00_00_00_01</name>
  <capability type='net'>
    <interface>eth0</interface>
    <address>52:54:00:00:00:01</address>
    <link speed='1000' state='up'/>
    <feature name='rx'/>
    <feature name='gso'/>
    <capability type='80211'/>
  </capability>
</device>
)");
}

TEST_CASE("USB devices and interfaces are written") {
    NodeDevice device;
    device.name = "usb_usb1";
    device.capability = UsbDeviceCapability{
        .bus = 1, .device = 1, .product = {2, "root hub"}, .vendor = {0x1d6b, "Linux"}};
    check_round_trip(device, R"(<device>
  <name>usb_usb1</name>
  <capability type='usb_device'>
    <bus>1</bus>
    <device>1</device>
    <product id='0x0002'>root hub</product>
    <vendor id='0x1d6b'>Linux</vendor>
  </capability>
</device>
)");
    device.capability = UsbInterfaceCapability{
        .number = 0, .class_code = 9, .subclass = 0, .protocol = 1, .description = {}};
    check_round_trip(device, R"(<device>
  <name>usb_usb1</name>
  <capability type='usb'>
    <number>0</number>
    <class>9</class>
    <subclass>0</subclass>
    <protocol>1</protocol>
  </capability>
</device>
)");
}

TEST_CASE("what makes no sense is refused with its place") {
    const auto in = [](const std::string& capability) {
        return "<device>\n<name>x</name>\n" + capability + "\n</device>";
    };
    check_contains(refusal(in("<capability type='teapot'/>")),
                   "line 3: device/capability: attribute 'type': 'teapot' is not one of");
    check_contains(refusal(in("<capability/>")), "attribute 'type' is missing");
    check_contains(refusal("<device><capability type='system'/></device>"),
                   "element 'name' is missing");
    check_contains(refusal(in("<capability type='net'><interface>e</interface>"
                              "<capability type='80299'/></capability>")),
                   "'80299' is not known here");
    check_contains(
        refusal(in("<capability type='storage'><block>/dev/x</block><capability type='removable'>"
                   "<media_size>big</media_size></capability></capability>")),
        "is not a whole number");
}
