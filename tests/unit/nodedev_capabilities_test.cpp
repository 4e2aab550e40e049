// SPDX-License-Identifier: LGPL-2.1-or-later
// Each kind of capability as text: what is read is written again.
#include "libshared/error.hpp"
#include "libshared/xml/parse.hpp"
#include "nodedev-driver/model/capability_kind.hpp"
#include "nodedev-driver/model/node_device.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::nodedev;

namespace {

std::string document(const std::string& type, const std::string& body) {
    const std::string head = "<device>\n  <name>x</name>\n  <capability type='" + type + "'";
    return body.empty() ? head + "/>\n</device>\n"
                        : head + ">\n" + body + "  </capability>\n</device>\n";
}

/// Reads a device whose main capability has these lines, and checks that they are written again.
NodeDevice read_back(const std::string& type, const std::string& body) {
    const std::string text = document(type, body);
    NodeDevice device = xml::parse<NodeDevice>(text);
    CHECK(format_device(device) == text);
    return device;
}

template <class T>
T read_as(const std::string& type, const std::string& body) {
    const NodeDevice device = read_back(type, body);
    REQUIRE(std::holds_alternative<T>(device.capability));
    return std::get<T>(device.capability);
}

std::string written(const std::string& type, const std::string& body) {
    return format_device(xml::parse<NodeDevice>(document(type, body)));
}

std::string refusal(const std::string& type, const std::string& body) {
    try {
        xml::parse<NodeDevice>(document(type, body));
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

using Names = std::vector<std::string_view>;

} // namespace

TEST_CASE("a SCSI host adapter has its names and its virtual ports") {
    const NodeDevice device = read_back("scsi_host",
                                        "    <host>4</host>\n"
                                        "    <unique_id>0</unique_id>\n"
                                        "    <capability type='fc_host'>\n"
                                        "      <wwnn>2001001b32a9da5b</wwnn>\n"
                                        "      <wwpn>2101001b32a9da5b</wwpn>\n"
                                        "      <fabric_wwn>2001000dec9877c1</fabric_wwn>\n"
                                        "    </capability>\n"
                                        "    <capability type='vport_ops'>\n"
                                        "      <max_vports>127</max_vports>\n"
                                        "      <vports>3</vports>\n"
                                        "    </capability>\n");
    const auto& host = std::get<ScsiHostCapability>(device.capability);
    CHECK(host.unique_id == 0);
    CHECK(host.vport_ops->vports == 3);
    CHECK(capability_names(device) == Names{"scsi_host", "fc_host", "vports"});
    CHECK(read_as<ScsiHostCapability>("scsi_host", "    <host>1</host>\n").unique_id == -1);
    CHECK(refusal("scsi_host", "<host>1</host><capability type='fc_guest'/>")
              .find("'fc_guest' is not known here") != std::string::npos);
}

TEST_CASE("SCSI targets, units and their generic nodes are read") {
    const auto target = read_as<ScsiTargetCapability>("scsi_target",
                                                      "    <target>target1:0:0</target>\n"
                                                      "    <capability type='fc_remote_port'>\n"
                                                      "      <rport>rport-1:0-0</rport>\n"
                                                      "      <wwpn>0x9d73bc45f0e21a86</wwpn>\n"
                                                      "    </capability>\n");
    CHECK(target.remote_port->rport == "rport-1:0-0");
    const auto unit = read_as<ScsiCapability>("scsi",
                                              "    <host>1</host>\n"
                                              "    <bus>2</bus>\n"
                                              "    <target>3</target>\n"
                                              "    <lun>4</lun>\n"
                                              "    <type>disk</type>\n");
    CHECK(unit == ScsiCapability{.host = 1, .bus = 2, .target = 3, .lun = 4, .type = "disk"});
    CHECK(read_as<ScsiGenericCapability>("scsi_generic", "    <char>/dev/sg0</char>\n").character ==
          "/dev/sg0");
}

TEST_CASE("a display's node is one of three kinds") {
    CHECK(read_as<DrmCapability>("drm", "    <type>render</type>\n").type == DrmType::render);
    CHECK(refusal("drm", "<type>modern</type>").find("not one of primary, control, render") !=
          std::string::npos);
}

TEST_CASE("a mediated device keeps its attributes in order, and always has a group") {
    const auto mdev =
        read_as<MdevCapability>("mdev",
                                "    <type id='vfio_ap-passthrough'/>\n"
                                "    <uuid>783e6dbb-ea0e-411f-94e2-717eaad438bf</uuid>\n"
                                "    <parent_addr>matrix</parent_addr>\n"
                                "    <iommuGroup number='12'/>\n"
                                "    <attr name='assign_domain' value='4'/>\n"
                                "    <attr name='assign_adapter' value='5'/>\n");
    CHECK(mdev.iommu_group == 12);
    CHECK(mdev.attributes.at(1) == MdevAttribute{"assign_adapter", "5"});
    CHECK(written("mdev", "    <type id='t'/>\n") ==
          document("mdev", "    <type id='t'/>\n    <iommuGroup number='0'/>\n"));
    CHECK(refusal("mdev", "<type/>").find("'id' is missing") != std::string::npos);
}

TEST_CASE("what makes mediated devices lists their types") {
    const std::string types = "    <capability type='mdev_types'>\n"
                              "      <type id='a'>\n"
                              "        <name>A</name>\n"
                              "        <deviceAPI>vfio-ap</deviceAPI>\n"
                              "        <availableInstances>65536</availableInstances>\n"
                              "      </type>\n"
                              "      <type id='b'>\n"
                              "        <deviceAPI>vfio-ap</deviceAPI>\n"
                              "        <availableInstances>0</availableInstances>\n"
                              "      </type>\n"
                              "    </capability>\n";
    const NodeDevice matrix = read_back("ap_matrix", types);
    CHECK(std::get<ApMatrixCapability>(matrix.capability).mdev_types->types.at(0).name == "A");
    CHECK(capability_names(matrix) == Names{"ap_matrix", "mdev_types"});
    const NodeDevice channel = read_back("css",
                                         "    <cssid>0x0</cssid>\n"
                                         "    <ssid>0x0</ssid>\n"
                                         "    <devno>0xfffe</devno>\n"
                                         "    <channel_dev_addr>\n"
                                         "      <cssid>0x0</cssid>\n"
                                         "      <ssid>0x1</ssid>\n"
                                         "      <devno>0x0009</devno>\n"
                                         "    </channel_dev_addr>\n" +
                                             types);
    CHECK(std::get<CssCapability>(channel.capability).channel_dev_addr->devno == 9);
    CHECK(capability_names(channel) == Names{"css", "mdev_types"});
    CHECK(capability_names(read_back("ap_matrix", "")) == Names{"ap_matrix"});
}

TEST_CASE("device numbers of the channel subsystem are hexadecimal without a prefix, too") {
    CHECK(written("ccw", "<cssid>10</cssid><ssid>0</ssid><devno>1ff</devno>") ==
          document("ccw",
                   "    <cssid>0xa</cssid>\n    <ssid>0x0</ssid>\n    <devno>0x01ff</devno>\n"));
    CHECK(refusal("ccw", "<cssid>0</cssid><ssid>0</ssid><devno>xyz</devno>")
              .find("devno: 'xyz' is not a whole number") != std::string::npos);
    const std::string all = refusal("ccw", "<cssid>0xff</cssid><ssid>4</ssid><devno>10000</devno>");
    CHECK(all.find("'0xff' is not a number from 0 to 0xfe") != std::string::npos);
    CHECK(all.find("'4' is not a number from 0 to 0x3") != std::string::npos);
    CHECK(all.find("'10000' is not a whole number from 0 to 65535") != std::string::npos);
}

TEST_CASE("crypto adapters and queues have two and four digits") {
    CHECK(read_as<ApCardCapability>("ap_card", "    <ap-adapter>0x07</ap-adapter>\n").adapter == 7);
    CHECK(written("ap_queue", "<ap-adapter>7</ap-adapter><ap-domain>56</ap-domain>") ==
          document("ap_queue",
                   "    <ap-adapter>0x07</ap-adapter>\n    <ap-domain>0x0038</ap-domain>\n"));
    CHECK(refusal("ap_queue", "<ap-adapter>7</ap-adapter><ap-domain>256</ap-domain>")
              .find("from 0 to 0xff") != std::string::npos);
    CHECK(refusal("ap_card", "<ap-adapter>256</ap-adapter>").find("from 0 to 0xff") !=
          std::string::npos);
}

TEST_CASE("a vDPA device has its character device") {
    CHECK(read_as<VdpaCapability>("vdpa", "    <chardev>/dev/vhost-vdpa-0</chardev>\n").chardev ==
          "/dev/vhost-vdpa-0");
}

namespace {

const std::string pci_head = "    <domain>0</domain>\n"
                             "    <bus>66</bus>\n"
                             "    <slot>0</slot>\n"
                             "    <function>0</function>\n"
                             "    <product id='0xa2d6'>p</product>\n"
                             "    <vendor id='0x15b3'/>\n";

} // namespace

TEST_CASE(
    "what hardware calls itself is hexadecimal without a prefix, too; a node below 0 is none") {
    CHECK(written("pci",
                  "<class>030000</class><domain>0</domain><bus>66</bus><slot>0</slot>"
                  "<function>0</function><product id='A2D6'>p</product><vendor id='15b3'/>"
                  "<numa node='-1'/>") ==
          document("pci", "    <class>0x030000</class>\n" + pci_head));
    CHECK(written("pci", pci_head + "<numa/>") == document("pci", pci_head));
    CHECK(refusal("pci", pci_head + "<numa node='x'/>").find("attribute 'node': 'x'") !=
          std::string::npos);
    CHECK(refusal("pci", pci_head + "<capability type='x'/>").find("'x' is not known here") !=
          std::string::npos);
    xml::ParseOptions as_libvirt;
    as_libvirt.unknown = xml::Unknown::report;
    CHECK(format_device(xml::parse<NodeDevice>(
              document("pci", pci_head + "<capability type='x'><y/></capability>\n"),
              as_libvirt)) == document("pci", pci_head));
}

TEST_CASE("vital product data keeps its own fields in their order") {
    const NodeDevice device =
        read_back("pci",
                  pci_head + "    <capability type='vpd'>\n"
                             "      <name>Tall &amp; wide</name>\n"
                             "      <fields access='readonly'>\n"
                             "        <change_level>B1</change_level>\n"
                             "        <serial_number>MT2113</serial_number>\n"
                             "        <vendor_field index='0'>x8</vendor_field>\n"
                             "      </fields>\n"
                             "      <fields access='readwrite'>\n"
                             "        <asset_tag>tag</asset_tag>\n"
                             "        <vendor_field index='A'>a</vendor_field>\n"
                             "        <system_field index='B'>b</system_field>\n"
                             "        <system_field index='0'>c</system_field>\n"
                             "      </fields>\n"
                             "    </capability>\n");
    CHECK(capability_names(device) == Names{"pci", "vpd"});
    const auto& vpd = *std::get<PciCapability>(device.capability).vpd;
    CHECK(vpd.name == "Tall & wide");
    CHECK(vpd.read_write->system_fields.at(1) == VpdField{"0", "c"});
    CHECK(refusal("pci",
                  pci_head +
                      "<capability type='vpd'><name>n</name><fields access='no'/></capability>")
              .find("attribute 'access': 'no' is not readonly") != std::string::npos);
}

TEST_CASE("virtual functions may have no number, and a group without members is not written") {
    CHECK(read_as<PciCapability>("pci", pci_head + "    <capability type='virt_functions'/>\n")
              .virtual_functions->max_count == 0);
    CHECK(written("pci", pci_head + "<iommuGroup number='3'/>") == document("pci", pci_head));
    CHECK(read_as<PciCapability>("pci", pci_head + "    <capability type='cardbus-bridge'/>\n")
              .header == PciHeader{PciBridge::cardbus});
}

TEST_CASE("a fixed disk has a size, also where that is zero; it may be pluggable") {
    const std::string block = "    <block>/dev/vda</block>\n";
    CHECK(written("storage", block) == document("storage", block + "    <size>0</size>\n"));
    const auto disk = read_as<StorageCapability>("storage",
                                                 block + "    <size>512</size>\n"
                                                         "    <capability type='hotpluggable'/>\n");
    CHECK(disk.hotpluggable.has_value());
}

TEST_CASE("features of an interface are sorted, and each is there once") {
    CHECK(written("net",
                  "<interface>e</interface><feature name='switchdev'/><feature name='rx'/>"
                  "<feature name='rx'/><capability type='80203'/>") ==
          document("net",
                   "    <interface>e</interface>\n    <feature name='rx'/>\n"
                   "    <feature name='switchdev'/>\n    <capability type='80203'/>\n"));
    CHECK(refusal("net", "<interface>e</interface><feature name='magic'/>")
              .find("attribute 'name': 'magic' is not one of rx, tx") != std::string::npos);
    CHECK(refusal("net", "<interface>e</interface><link state='sideways'/>")
              .find("is not one of unknown") != std::string::npos);
}

TEST_CASE("an NVMe controller and the functions that it has made") {
    const auto nvme = read_as<NvmeCapability>(
        "nvme",
        "    <controller>nvme0</controller>\n"
        "    <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n"
        "    <model>QEMU NVMe Ctrl</model>\n"
        "    <serial>LAB0</serial>\n"
        "    <firmware>8.0</firmware>\n"
        "    <nqn>nqn.2019-08.org.qemu:lab0</nqn>\n"
        "    <transport>pcie</transport>\n"
        "    <state>live</state>\n"
        "    <id>0</id>\n"
        "    <numa node='1'/>\n"
        "    <secondary_controllers maxCount='4'>\n"
        "      <secondary controller='nvme1'>\n"
        "        <address domain='0x0000' bus='0x01' slot='0x00' function='0x1'/>\n"
        "      </secondary>\n"
        "      <secondary>\n"
        "        <address domain='0x0000' bus='0x01' slot='0x00' function='0x2'/>\n"
        "      </secondary>\n"
        "    </secondary_controllers>\n");
    CHECK(nvme.secondary->controllers.at(0).controller == "nvme1");
    CHECK(nvme.secondary->controllers.at(1).address == PciAddress{0, 1, 0, 2});
}

TEST_CASE("a namespace stands in its disk's capability, with what uses it") {
    const NodeDevice device =
        read_back("storage",
                  "    <block>/dev/nvme0n1</block>\n"
                  "    <size>4096</size>\n"
                  "    <capability type='nvme_namespace'>\n"
                  "      <id>1</id>\n"
                  "      <controller name='nvme0'/>\n"
                  "      <controller name='nvme1'/>\n"
                  "      <size>4096</size>\n"
                  "      <used>0</used>\n"
                  "      <lba_size>512</lba_size>\n"
                  "      <metadata_size>8</metadata_size>\n"
                  "      <eui64>0025385b61b0a4c1</eui64>\n"
                  "      <generic>/dev/ng0n1</generic>\n"
                  "      <in_use kind='mount' by='/srv' device='/dev/nvme0n1p2'/>\n"
                  "    </capability>\n");
    const auto& found = *std::get<StorageCapability>(device.capability).nvme_namespace;
    CHECK(found.used == 0U);
    CHECK(found.uses == std::vector{DeviceUse{"mount", "/srv", "/dev/nvme0n1p2"}});
    CHECK(capability_names(device) == Names{"storage", "nvme_namespace"});
}
