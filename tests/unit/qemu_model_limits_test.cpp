// SPDX-License-Identifier: LGPL-2.1-or-later
// What QEMU's devices lack is refused with the element; what only looks odd is accepted.
#include "tests/support/model_bench.hpp"

#include <doctest/doctest.h>

using vireo::testing::guest;
using vireo::testing::refusal;

namespace {

/// The element that a guest on lines 1 to 4 is refused for; "accepted" if it is not.
std::string refused(const std::string& document) {
    const std::string message = refusal(document);
    const auto open = message.find('<');
    const auto close = message.find('>');
    CAPTURE(message);
    return message == "accepted" ? message : message.substr(open + 1, close - open - 1);
}

std::string device(std::string_view xml) {
    return refused(guest(xml));
}

std::string q35_device(std::string_view xml) {
    return refused(guest(xml, "", "q35"));
}

std::string disk(std::string_view attributes, std::string_view target, std::string_view inside) {
    return device(fmt::format("<disk type='file' {}><source file='/a'/><target {}/>{}</disk>",
                              attributes,
                              target,
                              inside));
}

std::string network_disk(std::string_view source) {
    return device(
        fmt::format("<disk type='network'><source {}</source><target dev='vda'/></disk>", source));
}

} // namespace

TEST_CASE("a disk's device has what its bus has") {
    CHECK(disk("", "dev='hda' bus='ide'", "<readonly/>") == "readonly");
    CHECK(disk("", "dev='sda' bus='sata'", "<readonly/>") == "readonly");
    CHECK(disk("device='cdrom'", "dev='hda' bus='ide'", "<readonly/>") == "accepted");
    CHECK(disk("", "dev='vda'", "<readonly/><shareable/>") == "accepted");
    CHECK(disk("", "dev='vda'", "<serial>a,b</serial>") == "serial");
    CHECK(disk("", "dev='vda'", "<serial>WD-1 2_3.4+</serial>") == "accepted");
    CHECK(disk("", "dev='sda' bus='usb'", "<geometry cyls='1' heads='2' secs='3'/>") == "geometry");
    CHECK(disk("", "dev='vda'", "<geometry cyls='1' heads='2' secs='3' trans='lba'/>") ==
          "geometry");
    CHECK(disk("device='cdrom'", "dev='hda' bus='ide' rotation_rate='7200'", "") == "target");
    CHECK(disk("device='cdrom'",
               "dev='hda' bus='ide'",
               "<driver name='qemu' copy_on_read='on'/>") == "driver");
    CHECK(disk("", "dev='vda'", "<driver name='qemu' io='native'/>") == "driver");
    CHECK(disk("", "dev='vda'", "<driver name='qemu' io='native' cache='none'/>") == "accepted");
    CHECK(disk("", "dev='sda' bus='scsi'", "<address type='drive' bus='1'/>") == "address");
    CHECK(disk("device='cdrom'", "dev='hda' bus='ide'", "<transient/>") == "transient");
    CHECK(disk("", "dev='hda' bus='ide'", "<transient shareBacking='yes'/>") == "transient");
    CHECK(disk("",
               "dev='vda'",
               "<driver name='qemu' type='raw'><metadata_cache><max_size "
               "unit='KiB'>4</max_size></metadata_cache></driver>") == "metadata_cache");
}

TEST_CASE("limits of a disk: 0 is none, a group's are its disks' own") {
    const auto limited = [](std::string_view limits) {
        return disk("", "dev='vda'", fmt::format("<iotune>{}</iotune>", limits));
    };
    CHECK(limited("<total_bytes_sec>0</total_bytes_sec><read_bytes_sec>5</read_bytes_sec>") ==
          "accepted");
    CHECK(limited("<group_name>a</group_name>") == "iotune");
    CHECK(limited("<read_iops_sec>1000000000000001</read_iops_sec>") == "iotune");
    const auto two = [](std::string_view other) {
        return device(fmt::format(
            "<disk><source file='/a'/><target dev='vda'/><iotune><read_iops_sec>5</read_iops_sec>"
            "<group_name>g</group_name></iotune></disk><disk><source file='/b'/><target dev='vdb'/>"
            "<iotune><read_iops_sec>{}</read_iops_sec><group_name>g</group_name></iotune></disk>",
            other));
    };
    CHECK(two("5") == "accepted");
    CHECK(two("6") == "iotune");
}

TEST_CASE("a protocol has its own options") {
    CHECK(network_disk("protocol='nbd' name='x'><host name='h'/><readahead size='1'/>") ==
          "readahead");
    CHECK(network_disk("protocol='https' name='x'><host name='h'/><readahead size='1'/>"
                       "<timeout seconds='5'/><ssl verify='no'/>") == "accepted");
    CHECK(network_disk("protocol='http' name='x'><host name='h'/><ssl verify='no'/>") == "ssl");
    CHECK(network_disk("protocol='ftp' name='x'><host name='h'/><cookies><cookie name='a'>1"
                       "</cookie></cookies>") == "cookies");
    CHECK(network_disk("protocol='http' name='x'><host name='h'/><cookies><cookie name='a;'>1"
                       "</cookie></cookies>") == "cookie");
    CHECK(network_disk("protocol='tftp' name='x'><host name='h'/>") == "source");
    CHECK(network_disk("protocol='nbd' name='x' tlsHostname='h'><host name='h'/>") == "source");
    CHECK(network_disk("protocol='nbd' name='x' tls='yes' tlsHostname='h'><host name='h'/>") ==
          "accepted");
}

TEST_CASE("servers of the guest's devices must reach its memory") {
    const auto served = [](std::string_view head) {
        return refused(guest("<disk type='vhostuser'><driver name='qemu' type='raw'/><source "
                             "type='unix' path='/s'/><target dev='vda'/></disk>",
                             head));
    };
    constexpr const char* memfd =
        "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";
    CHECK(served("") == "disk");
    CHECK(served(memfd) == "accepted");
    const std::string cells =
        "<cpu><numa><cell id='0' cpus='0-3' memory='1048576'{}/></numa></cpu>";
    CHECK(served(memfd + fmt::format(fmt::runtime(cells), " memAccess='private'")) == "disk");
    CHECK(served(fmt::format(fmt::runtime(cells), " memAccess='shared'")) == "accepted");
}

TEST_CASE("controllers are those of the machine, played by the right device") {
    CHECK(q35_device("<controller type='ide' index='0'/>") == "controller");
    CHECK(q35_device("<controller type='pci' index='0' model='pcie-root-port'/>") == "controller");
    CHECK(q35_device("<controller type='pci' index='1' model='pcie-root-port'><model name='pxb'/>"
                     "</controller>") == "model");
    CHECK(q35_device("<controller type='pci' index='1' model='pcie-root-port'><model "
                     "name='ioh3420'/></controller>") == "accepted");
    CHECK(device("<controller type='scsi' model='ncr53c90'/>") == "controller");
    CHECK(device("<controller type='pci' index='0' model='pci-root'><target index='1'/>"
                 "</controller>") == "target");
}

TEST_CASE("screens and adapters go together") {
    CHECK(device("<graphics type='vnc'/><video><model type='vga'/></video><video><model "
                 "type='bochs'/></video>") == "model");
    CHECK(device("<video><model type='cirrus'><resolution x='1' y='1'/></model></video>") ==
          "resolution");
    CHECK(device("<video><model type='qxl' vgamem='512'/></video>") == "model");
    CHECK(device("<video><model type='vga'><acceleration accel2d='yes'/></model></video>") ==
          "acceleration");
    CHECK(device("<graphics type='sdl'/><graphics type='egl-headless'/>") == "graphics");
    CHECK(device("<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/>"
                 "</channel>") == "source");
    CHECK(device("<redirdev bus='usb' type='spicevmc'/>") == "source");
}

TEST_CASE("an interface's host side") {
    const auto interface = [](std::string_view inside) {
        return device(fmt::format("<interface type='user'>{}</interface>", inside));
    };
    CHECK(interface("<ip family='ipv6' address='fd00::1' prefix='80'/>") == "ip");
    CHECK(interface("<ip family='ipv4' address='10.0.0.1' prefix='3'/>") == "ip");
    CHECK(interface("<model type='e1000'/><teaming type='persistent'/>") == "teaming");
    CHECK(interface("<model type='virtio'/><teaming type='transient' persistent='ua-a'/>") ==
          "teaming");
    CHECK(interface("<mtu size='9000'/>") == "mtu");
    CHECK(interface("<model type='e1000'/><driver rx_queue_size='3'/>") == "accepted");
    CHECK(interface("<backend type='passt' logFile='/l'/><portForward proto='tcp'><range "
                    "start='2022' to='22'/></portForward>") == "accepted");
    CHECK(interface("<portForward proto='tcp'/>") == "portForward");
    CHECK(device("<interface type='bridge'><source bridge='b'/><backend type='passt'/>"
                 "</interface>") == "backend");
}

TEST_CASE("what other machines have is known, and refused") {
    CHECK(refused(guest("", "<features><hpt resizing='enabled'/></features>")) == "hpt");
    CHECK(refused(guest("", "<features><gic version='2'/></features>")) == "gic");
    CHECK(refused(guest("", "<features><msrs unknown='ignore'/></features>")) == "accepted");
    CHECK(refused(guest("", "<keywrap><cipher name='aes' state='on'/></keywrap>")) == "keywrap");
    CHECK(refused(guest("", "<bootloader>/b</bootloader>")) == "bootloader");
    CHECK(refused(guest("", "<launchSecurity type='s390-pv'/>")) == "launchSecurity");
    CHECK(device("<nvram/>") == "nvram");
}

TEST_CASE("timers, lifecycle, firmware variables and tables") {
    const auto clock = [](std::string_view inside) {
        return refused(guest("", fmt::format("<clock offset='utc'>{}</clock>", inside)));
    };
    CHECK(clock("<timer name='rtc' track='realtime'/>") == "accepted");
    CHECK(clock("<timer name='rtc' track='boot'/>") == "timer");
    CHECK(clock("<timer name='tsc' mode='auto'/>") == "accepted");
    CHECK(refused(guest("", "<clock offset='absolute' start='253402300800'/>")) == "clock");
    CHECK(refused(guest("", "<on_poweroff>preserve</on_poweroff>")) == "on_poweroff");
    CHECK(
        refused(guest("", "<sysinfo type='fwcfg'><entry name='opt/ovmf/x'>1</entry></sysinfo>")) ==
        "entry");
    CHECK(device("<sound model='sb16'><acpi index='3'/><address type='isa'/></sound>") == "acpi");
    CHECK(device("<smartcard mode='host'><address type='ccid' controller='0' slot='1'/>"
                 "</smartcard>") == "address");
}

TEST_CASE("what the format does not know is passed over, and told with its line") {
    const std::string text = guest("<teapot/><disk><source file='/a' colour='red'/>\n"
                                   "<target dev='vda'/></disk>",
                                   "<metadata>\n <a:b xmlns:a='urn:a'>&lt;x </a:b></metadata>");
    vireo::xml::Problems unknowns;
    const vireo::qemu::DomainDef def = vireo::qemu::parse_domain(text, false, &unknowns);
    CHECK(unknowns.text() == "line 6: domain/devices/disk/source: attribute 'colour' is not known; "
                             "line 6: domain/devices: element 'teapot' is not known");
    CHECK(def.devices.disks.size() == 1);
    CHECK(def.metadata->text == "<metadata>\n <a:b xmlns:a=\"urn:a\">&lt;x </a:b></metadata>");
    CHECK(refusal(text) == "accepted");
}

TEST_CASE("ports without a number come after all that have one, distances are those of both ways") {
    const auto def = vireo::testing::completed(
        guest("<serial type='pty'/><serial type='pty'><target port='2'/></serial>"
              "<redirdev bus='usb' type='dbus'/>",
              "<cpu><numa><cell id='0' cpus='0-1' memory='524288'><distances>"
              "<sibling id='1' value='31'/></distances></cell>"
              "<cell id='1' cpus='2-3' memory='524288'/></numa></cpu>"));
    CHECK(def.devices.serials[0].target_port == 3U);
    CHECK(def.devices.serials[1].target_port == 2U);
    const auto& far = def.cpu->cells[1].distances;
    REQUIRE(far.size() == 2);
    CHECK(far[0].id == 0);
    CHECK(far[0].value == 31);
    CHECK(far[1].value == 10);
    const auto& redirected = def.devices.redirdevs[0].source.backend;
    CHECK(std::get<vireo::qemu::DbusChardev>(redirected).channel == "org.qemu.usbredir");
}
