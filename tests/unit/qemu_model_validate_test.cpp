// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/model_bench.hpp"

#include <doctest/doctest.h>

using vireo::testing::guest;
using vireo::testing::refusal;

namespace {

std::string disk(std::string_view attributes, std::string_view inside) {
    return guest(
        fmt::format("<disk type='file' {}>\n<source file='/a'/>{}</disk>", attributes, inside));
}

/// A refusal of a device says where: devices begin on line 5.
bool refused_at(unsigned line, std::string_view element, const std::string& message) {
    const std::string start = fmt::format("line {}: <{}>: ", line, element);
    CAPTURE(message);
    return message.starts_with(start) && message.size() > start.size();
}

/// `line N: <element>` of each mistake that a refusal lists.
std::string places(const std::string& message) {
    std::string all;
    for (std::size_t at = message.find("line "); at != std::string::npos;
         at = message.find("; line ", at + 1)) {
        const std::size_t begin = message.find("line ", at) + 5;
        all += (all.empty() ? "" : " ") + message.substr(begin, message.find('>', begin) - begin);
    }
    return all;
}

} // namespace

TEST_CASE("a guest without mistakes is accepted") {
    CHECK(refusal(guest("")) == "accepted");
    CHECK(refusal(guest("<controller type='scsi' model='virtio-scsi'/>"
                        "<disk type='block' device='lun'><driver type='raw'/><source dev='/dev/a'/>"
                        "<target dev='sda' bus='scsi'/></disk>")) == "accepted");
}

TEST_CASE("a disk's mistakes are named with line and value") {
    CHECK(refusal(disk("", "<target dev='vda'/><wwn>12</wwn>")) ==
          "line 5: <wwn>: '12' is not 16 hexadecimal digits");
    CHECK(refused_at(5, "target", refusal(disk("", "<target dev='vda1'/>"))));
    CHECK(
        refused_at(5, "target", refusal(disk("device='floppy'", "<target dev='fda' bus='ide'/>"))));
    CHECK(refused_at(5, "disk", refusal(disk("device='lun'", "<target dev='sda' bus='scsi'/>"))));
    CHECK(refused_at(5, "disk", refusal(disk("rawio='yes'", "<target dev='vda'/>"))));
    CHECK(refused_at(5,
                     "vendor",
                     refusal(disk("",
                                  "<target dev='sda' bus='scsi'/>"
                                  "<vendor>ninechars</vendor>"))));
    CHECK(refused_at(5,
                     "iotune",
                     refusal(disk("",
                                  "<target dev='vda'/><iotune>"
                                  "<total_bytes_sec>1</total_bytes_sec>"
                                  "<read_bytes_sec>1</read_bytes_sec></iotune>"))));
    CHECK(refused_at(5,
                     "driver",
                     refusal(disk("",
                                  "<driver name='qemu' type='iso'/>"
                                  "<target dev='vda'/>"))));
    CHECK(refused_at(5,
                     "driver",
                     refusal(disk("",
                                  "<driver name='qemu' iothread='3'/>"
                                  "<target dev='vda'/>"))));
    CHECK(refused_at(5,
                     "address",
                     refusal(disk("",
                                  "<target dev='hda' bus='ide'/>"
                                  "<address type='pci' slot='5'/>"))));
    CHECK(refused_at(5,
                     "shareable",
                     refusal(disk("",
                                  "<driver name='qemu' type='qcow2'/>"
                                  "<target dev='vda'/><shareable/>"))));
}

TEST_CASE("two disks of one name, or in one place, are refused at the second") {
    const char* a = "<disk><source file='/a'/><target dev='vda'/></disk>\n";
    CHECK(refusal(guest(fmt::format("{}{}", a, a))) == "line 6: <target>: dev='vda' is used twice");
    CHECK(refused_at(
        6,
        "address",
        refusal(guest("<disk><source file='/a'/><target dev='hda' bus='ide'/></disk>\n"
                      "<disk><source file='/b'/><target dev='hdb' bus='ide'/>"
                      "<address type='drive' controller='0' bus='0' unit='0'/></disk>"))));
}

TEST_CASE("a network image needs what its protocol needs") {
    const auto network = [](std::string_view source, std::string_view inside) {
        return refusal(guest(fmt::format("<disk type='network'><source {}>{}</source>"
                                         "<target dev='vda'/></disk>",
                                         source,
                                         inside)));
    };
    const char* host = "<host name='h'/>";
    CHECK(network("protocol='rbd' name='p/i'", host) == "accepted");
    CHECK(refused_at(
        5, "snapshot", network("protocol='nbd' name='i'", "<host name='h'/><snapshot name='s'/>")));
    CHECK(refused_at(
        5,
        "auth",
        network("protocol='nbd' name='i'",
                "<host name='h'/><auth username='u'><secret type='ceph' usage='x'/></auth>")));
    CHECK(refused_at(
        5,
        "secret",
        network("protocol='rbd' name='p/i'",
                "<host name='h'/><auth username='u'><secret type='iscsi' usage='x'/></auth>")));
    CHECK(refused_at(5,
                     "encryption",
                     network("protocol='nbd' name='i'",
                             "<host name='h'/><encryption format='luks2'><secret type='passphrase' "
                             "usage='x'/></encryption>")));
}

TEST_CASE("a character device needs its other end") {
    const auto serial = [](std::string_view type, std::string_view source) {
        return refusal(guest(fmt::format("<serial type='{}'><source {}</serial>", type, source)));
    };
    CHECK(serial("tcp", "mode='connect' host='h' service='1'/>") == "accepted");
    CHECK(serial("tcp", "mode='connect' service='1'/>") ==
          "line 5: <source>: type='tcp' needs host=, the address");
    CHECK(refused_at(5, "source", serial("unix", "mode='connect'/>")));
    CHECK(
        refused_at(5,
                   "reconnect",
                   serial("unix", "mode='connect' path='/s'><reconnect enabled='yes'/></source>")));
    CHECK(refused_at(
        5,
        "reconnect",
        serial("unix", "mode='bind' path='/s'><reconnect enabled='yes' timeout='1'/></source>")));
    CHECK(refused_at(
        5,
        "reconnect",
        serial("unix",
               "mode='connect' path='/s'><reconnect enabled='yes' timeout='0'/></source>")));
    CHECK(refused_at(5,
                     "model",
                     refusal(guest("<serial type='null'><target type='isa-serial'>"
                                   "<model name='pci-serial'/></target></serial>"))));
}

TEST_CASE("an interface has what goes with its type") {
    const auto card = [](std::string_view type, std::string_view inside) {
        return refusal(guest(fmt::format("<interface type='{}'>{}</interface>", type, inside)));
    };
    CHECK(card("bridge", "<source bridge='b'/><port isolated='yes'/>") == "accepted");
    CHECK(refused_at(5, "port", card("user", "<port isolated='yes'/>")));
    CHECK(refused_at(
        5, "driver", card("user", "<model type='virtio'/><driver rx_queue_size='300'/>")));
    CHECK(refused_at(5, "driver", card("user", "<model type='e1000'/><driver packed='on'/>")));
    CHECK(refused_at(
        5, "teaming", card("bridge", "<source bridge='b'/><teaming type='transient'/>")));
    CHECK(refused_at(5, "mac", card("user", "<mac address='53:54:00:00:00:01'/>")));
    CHECK(refused_at(5, "ip", card("user", "<ip address='10.0.2.2' prefix='28'/>")));
    CHECK(refused_at(5,
                     "model",
                     card("vhostuser",
                          "<source type='unix' path='/s' mode='client'/>"
                          "<model type='e1000'/>")));
}

TEST_CASE("controllers fit together") {
    CHECK(refused_at(6,
                     "controller",
                     refusal(guest("<controller type='sata' index='1'/>\n"
                                   "<controller type='sata' index='1'/>"))));
    CHECK(refused_at(
        5, "controller", refusal(guest("<controller type='pci' index='1' model='pci-root'/>"))));
    CHECK(refused_at(5, "controller", refusal(guest("<controller type='ide' index='1'/>"))));
    CHECK(refused_at(
        5, "controller", refusal(guest("<controller type='usb' model='qemu-xhci' ports='16'/>"))));
    CHECK(refused_at(
        5, "controller", refusal(guest("<controller type='usb' index='0' model='ich9-uhci1'/>"))));
    CHECK(refused_at(6,
                     "input",
                     refusal(guest("<controller type='usb' model='none'/>\n"
                                   "<input type='tablet' bus='usb'/>"))));
    CHECK(refused_at(
        5,
        "driver",
        refusal(
            guest("<controller type='scsi' model='lsilogic'><driver queues='2'/></controller>"))));
}

TEST_CASE("screens, their memory and their sound") {
    CHECK(refused_at(
        6, "graphics", refusal(guest("<graphics type='vnc'/>\n<graphics type='vnc'/>"))));
    CHECK(refused_at(6,
                     "graphics",
                     refusal(guest("<graphics type='spice'><gl enable='yes'/></graphics>\n"
                                   "<graphics type='egl-headless'/>"))));
    CHECK(refused_at(6,
                     "model",
                     refusal(guest("<video><model type='qxl'/></video>\n"
                                   "<video><model type='cirrus'/></video>"))));
    CHECK(refused_at(5, "model", refusal(guest("<video><model type='vga' ram='1024'/></video>"))));
    CHECK(refused_at(5, "audio", refusal(guest("<audio id='1' type='spice'/>"))));
    CHECK(refused_at(
        6, "audio", refusal(guest("<audio id='1' type='none'/>\n<audio id='1' type='none'/>"))));
}

TEST_CASE("a host device is given once, at an address of its kind") {
    const char* pci = "<hostdev mode='subsystem' type='pci'><source>"
                      "<address domain='0' bus='6' slot='2' function='0'/></source></hostdev>\n";
    CHECK(refusal(guest(pci)) == "accepted");
    CHECK(refusal(guest(fmt::format("{}{}", pci, pci))) ==
          "line 6: <hostdev>: PCI device 0000:06:02.0 is there twice");
    CHECK(refused_at(5,
                     "address",
                     refusal(guest("<hostdev mode='subsystem' type='usb'><source><vendor "
                                   "id='0x1'/><product id='0x2'/></source>"
                                   "<address type='pci' slot='9'/></hostdev>"))));
}

TEST_CASE("CPU, cells and memory agree") {
    const auto with = [](std::string_view cpu) { return refusal(guest("", cpu)); };
    CHECK(with("<cpu><topology sockets='1' cores='2' threads='2'/></cpu>") == "accepted");
    CHECK(refused_at(
        4, "topology", with("<cpu><topology sockets='1' cores='2' threads='1'/></cpu>")));
    CHECK(refused_at(
        4, "cell", with("<cpu><numa><cell id='1' cpus='0-3' memory='1'/></numa></cpu>")));
    CHECK(refused_at(4,
                     "cell",
                     with("<cpu><numa><cell id='0' cpus='0-1' memory='1'/>"
                          "<cell id='1' cpus='1-3' memory='1'/></numa></cpu>")));
    CHECK(refused_at(4,
                     "feature",
                     with("<cpu><model>qemu64</model><feature name='a'/>"
                          "<feature name='a'/></cpu>")));
    CHECK(refused_at(4, "cache", with("<cpu mode='host-model'><cache mode='passthrough'/></cpu>")));
    CHECK(refused_at(4,
                     "page",
                     with("<memoryBacking><hugepages><page size='1'/><page size='2'/>"
                          "</hugepages></memoryBacking>")));
    CHECK(refused_at(
        4, "memory", with("<numatune><memory mode='strict' placement='static'/></numatune>")));
}

TEST_CASE("a virtio-mem device's sizes are whole blocks") {
    const auto memory = [](unsigned block, unsigned requested) {
        return refusal(
            guest(fmt::format("<memory model='virtio-mem'><target><size unit='KiB'>1048576</size>"
                              "<node>0</node><block unit='KiB'>{}</block>"
                              "<requested unit='KiB'>{}</requested></target></memory>",
                              block,
                              requested),
                  "<maxMemory slots='2' unit='KiB'>4194304</maxMemory>"
                  "<cpu><numa><cell id='0' cpus='0-3' memory='1048576'/></numa></cpu>"));
    };
    CHECK(memory(2048, 4096) == "accepted");
    CHECK(refused_at(5, "block", memory(3000, 0)));
    CHECK(refused_at(5, "block", memory(512, 0)));
    CHECK(refused_at(5, "memory", memory(1024, 0))); // less than a transparent huge page
    CHECK(refused_at(5, "requested", memory(2048, 2049)));
    CHECK(refused_at(5, "requested", memory(2048, 2097152)));
}

TEST_CASE("firmware and what it needs") {
    const auto os = [](std::string_view inside, std::string_view more) {
        return refusal(fmt::format("<domain type='kvm'><name>g</name><memory>1024</memory>\n"
                                   "<os><type arch='x86_64' machine='pc'>hvm</type>{}</os>{}"
                                   "</domain>",
                                   inside,
                                   more));
    };
    const char* flash = "<loader readonly='yes' type='pflash'>/c.fd</loader>";
    CHECK(os(flash, "<features><acpi/></features>") == "accepted");
    CHECK(refused_at(2, "loader", os(flash, "")));
    CHECK(refused_at(2, "nvram", os("<loader type='rom'>/bios</loader><nvram>/v</nvram>", "")));
    CHECK(refused_at(2, "bootmenu", os("<bootmenu enable='yes' timeout='65536'/>", "")));
    CHECK(refused_at(2,
                     "loader",
                     os("<loader readonly='yes' secure='yes' type='pflash'>/c.fd</loader>",
                        "<features><acpi/></features>")));
}

TEST_CASE("limits on the host are within what it has") {
    const auto tune = [](std::string_view inside) {
        return refusal(guest("", fmt::format("<cputune>{}</cputune>", inside)));
    };
    CHECK(tune("<period>100000</period>") == "accepted");
    CHECK(refused_at(4, "period", tune("<period>10</period>")));
    CHECK(refused_at(4, "vcpusched", tune("<vcpusched vcpus='0' scheduler='fifo'/>")));
    CHECK(refused_at(4, "iothreadpin", tune("<iothreadpin iothread='1' cpuset='0'/>")));
    CHECK(refused_at(4,
                     "memorytune",
                     tune("<cachetune vcpus='0-1'><cache id='0' level='3' type='both' size='1' "
                          "unit='KiB'/></cachetune>"
                          "<memorytune vcpus='0'><node id='0' bandwidth='50'/></memorytune>")));
}

TEST_CASE("all mistakes of processors, memory and limits are listed, each with its line") {
    const auto with = [](std::string_view more) { return places(refusal(guest("", more))); };
    CHECK(with("<cpu mode='host-passthrough'>\n<model vendor_id='short'>qemu64</model>\n"
               "<topology sockets='1' cores='9' threads='1'/>\n"
               "<feature name='a'/>\n<feature name='a'/>\n<feature name='a'/>\n</cpu>") ==
          "8: <feature 9: <feature 5: <model 6: <topology");
    CHECK(with("<cpu><numa>\n<cell id='0' cpus='0-1' memory='1'/>\n"
               "<cell id='1' cpus='1-4' memory='1'>\n<distances>\n"
               "<sibling id='7' value='20'/>\n<sibling id='0' value='9'/>\n"
               "</distances>\n</cell>\n</numa></cpu>\n"
               "<numatune>\n<memory mode='strict' placement='static'/>\n"
               "<memnode cellid='5' mode='strict' nodeset='0'/>\n</numatune>\n"
               "<memoryBacking><hugepages>\n<page size='2048' nodeset='4'/>\n"
               "<page size='2048' nodeset='5'/>\n</hugepages></memoryBacking>") ==
          "18: <page 19: <page 6: <cell 9: <sibling 8: <sibling 14: <memory 15: <memnode");
    CHECK(with("<cputune>\n<shares>1</shares><period>10</period><quota>10</quota>\n"
               "<iothreadpin iothread='1' cpuset='0'/>\n<iothreadpin iothread='2' cpuset='0'/>\n"
               "<vcpusched vcpus='0' scheduler='fifo'/>\n<emulatorsched scheduler='rr'/>\n"
               "<memorytune vcpus='0'>\n<node id='0' bandwidth='101'/>\n"
               "<node id='1' bandwidth='0'/>\n</memorytune>\n</cputune>\n"
               "<blkiotune><weight>1</weight>\n<device><path>/a</path><weight>2</weight></device>\n"
               "</blkiotune>\n<perf>\n<event name='cmt' enabled='yes'/>\n"
               "<event name='cmt' enabled='yes'/>\n</perf>") ==
          "4: <shares 4: <period 4: <quota 6: <iothreadpin 7: <iothreadpin 9: <emulatorsched "
          "8: <vcpusched 11: <node 12: <node 15: <weight 16: <weight 20: <event");
}

TEST_CASE("sets of CPUs and nodes that are none are listed, too") {
    CHECK(places(refusal(guest("",
                               "<cputune>\n<vcpupin vcpu='0' cpuset='a'/>\n"
                               "<vcpupin vcpu='1' cpuset='1-'/>\n<emulatorpin cpuset='-'/>\n"
                               "<iothreadsched iothreads='x' scheduler='batch'/>\n</cputune>"
                               "<numatune><memory nodeset='x'/></numatune>\n"
                               "<cpu><numa><cell cpus='0-3,x' memory='1'/></numa></cpu>"))) ==
          "10: <cell 5: <vcpupin 6: <vcpupin 4: <emulatorpin 8: <iothreadsched 9: <memory");
}

TEST_CASE("small devices") {
    CHECK(
        refused_at(5, "model", refusal(guest("<shmem name='a'><model type='ivshmem'/></shmem>"))));
    CHECK(refused_at(5, "shmem", refusal(guest("<shmem name='a/b'/>"))));
    CHECK(refused_at(5, "input", refusal(guest("<input type='tablet' bus='ps2'/>"))));
    CHECK(refused_at(5, "iommu", refusal(guest("<iommu model='intel'/>"))));
    CHECK(refused_at(5, "cid", refusal(guest("<vsock><cid address='2'/></vsock>"))));
    CHECK(refused_at(6, "panic", refusal(guest("<panic model='isa'/>\n<panic model='isa'/>"))));
    CHECK(refused_at(5,
                     "driver",
                     refusal(guest("<filesystem type='mount'><driver type='virtiofs'/>"
                                   "<source dir='/a'/><target dir='t'/></filesystem>"))));
}

TEST_CASE("other hypervisors' guests are refused by QEMU's rules alone") {
    const std::string xen = "<domain type='xen'><name>g</name><memory>1024</memory>"
                            "<os><type>hvm</type></os></domain>";
    CHECK(refused_at(1, "domain", refusal(xen)));
    CHECK(refusal(xen, {.any_hypervisor = true}) == "accepted");
    CHECK(refused_at(1,
                     "name",
                     refusal("<domain type='xen'><name>a/b</name><memory>1024</memory>"
                             "<os><type>hvm</type></os></domain>",
                             {.any_hypervisor = true})));
}
