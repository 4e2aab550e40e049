// SPDX-License-Identifier: LGPL-2.1-or-later
// Command lines that Vireo makes, given to the installed QEMU: it must take them without a word.
#include "qemu-driver/devices/graphics_ports.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/devices/seal_secret.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "tests/support/child.hpp"
#include "tests/support/installed_qemu.hpp"
#include "tests/support/qmp_child.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

using namespace vireo;
using namespace vireo::qemu;
using nlohmann::json;

namespace {

/// A folder for one guest's sockets and images.
class GuestFolder {
  public:
    GuestFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vireo-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }

    GuestFolder(const GuestFolder&) = delete;
    GuestFolder& operator=(const GuestFolder&) = delete;

    ~GuestFolder() { std::filesystem::remove_all(path_); }

    std::string at(const std::string& name) const { return path_ / name; }

    std::string raw_image(const std::string& name) const {
        std::ofstream(at(name)).close();
        std::filesystem::resize_file(at(name), 1 << 20);
        return at(name);
    }

  private:
    std::filesystem::path path_;
};

int unix_socket(const std::string& path, bool listen) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (listen) {
        REQUIRE(::bind(fd, generic, sizeof address) == 0);
        REQUIRE(::listen(fd, 1) == 0);
    } else {
        REQUIRE(::connect(fd, generic, sizeof address) == 0);
    }
    return fd;
}

int open_descriptor(const Descriptor& descriptor) {
    switch (descriptor.kind) {
    case DescriptorKind::monitor:
    case DescriptorKind::unix_listen:
        return unix_socket(descriptor.path, true);
    case DescriptorKind::file_append:
    case DescriptorKind::file_truncate:
        return ::open(
            descriptor.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
    default:
        break;
    }
    FAIL("this test opens no such descriptor");
    return -1;
}

HostFacts host_facts() {
    HostFacts facts;
    facts.arch = "x86_64";
    facts.emulators["x86_64"] = "/usr/bin/qemu-system-x86_64";
    facts.qemu = test::installed_qemu();
    facts.random_bytes = [](std::span<uint8_t> bytes) {
        uint8_t next = 0;
        for (uint8_t& byte : bytes) {
            byte = next++;
        }
    };
    return facts;
}

/// What a daemon knows of a guest: its folder.
LaunchFacts facts_in(const GuestFolder& folder) {
    LaunchFacts facts;
    facts.private_dir = folder.at("");
    facts.channel_dir = folder.at("");
    return facts;
}

/// The whole way from a document to a paused guest that answers, and to its end.
void check_starts(const LaunchFacts& facts, const std::string& document) {
    DomainDef def = parse_domain(document);
    PassOptions options;
    options.new_definition = true;
    complete_domain(def, host_facts(), options);
    assign_aliases(def);
    assign_node_numbers(def);
    const LaunchRequest request = build_launch(def, *test::installed_qemu(), facts);

    std::vector<std::pair<int, int>> passed;
    std::string monitor;
    for (const Descriptor& descriptor : request.descriptors) {
        passed.emplace_back(open_descriptor(descriptor), descriptor.number);
        if (descriptor.kind == DescriptorKind::monitor) {
            monitor = descriptor.path;
        }
    }
    test::QmpChild guest(request.argv, passed, unix_socket(monitor, false));
    for (const auto& [fd, number] : passed) {
        ::close(fd);
    }
    CHECK(guest.execute("query-status")["return"]["status"] == "prelaunch");
    guest.execute("quit");
    CHECK(guest.finish() == "");
}

void check_starts(const GuestFolder& folder, const std::string& document) {
    check_starts(facts_in(folder), document);
}

} // namespace

TEST_CASE("QEMU takes a q35 guest with one of each device") {
    const GuestFolder folder;
    check_starts(folder,
                 R"(<domain type='qemu'><name>q35</name><memory>65536</memory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><boot dev='cdrom'/><boot dev='hd'/></os>
<features><acpi/><apic/></features>
<cpu mode='custom' match='exact'><model>qemu64</model><topology sockets='1' dies='1' cores='2' threads='1'/></cpu>
<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='hpet' present='no'/></clock>
<pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='raw' cache='writeback' discard='unmap' detect_zeroes='unmap'/>
 <source file=')" + folder.raw_image("a,b.img") +
                     R"('/><target dev='vda' bus='virtio'/><serial>one</serial></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file=')" +
                     folder.raw_image("c.img") +
                     R"('/><target dev='sda' bus='scsi'/><readonly/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file=')" +
                     folder.raw_image("d.img") + R"('/><target dev='sdb' bus='usb'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdc' bus='sata'/><readonly/></disk>
<controller type='usb' model='qemu-xhci' ports='8'/>
<controller type='scsi' model='virtio-scsi'/>
<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>
<interface type='user'><mac address='52:54:00:00:00:02'/><model type='e1000e'/></interface>
<serial type='pty'/><serial type='file'><source path=')" +
                     folder.at("serial.log") + R"('/></serial>
<console type='pty'><target type='virtio'/></console>
<channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<input type='tablet' bus='usb'/><input type='keyboard' bus='virtio'/>
<graphics type='vnc'><listen type='socket' socket=')" +
                     folder.at("vnc.sock") + R"('/></graphics>
<video><model type='virtio'/></video>
<memballoon model='virtio'/>
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
</devices></domain>)");
}

TEST_CASE("QEMU takes an i440fx guest with the older devices") {
    const GuestFolder folder;
    check_starts(folder,
                 R"(<domain type='qemu'><name>i440fx</name><memory>65536</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><boot dev='fd'/><boot dev='hd'/><bootmenu enable='yes' timeout='100'/></os>
<features><acpi/></features>
<clock offset='variable' adjustment='3600' basis='utc'/>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='raw' io='threads' error_policy='stop'/><source file=')" +
                     folder.raw_image("a.img") + R"('/><target dev='hda' bus='ide'/></disk>
<disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file=')" +
                     folder.raw_image("f.img") + R"('/><target dev='fda' bus='fdc'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hdc' bus='ide'/><readonly/></disk>
<interface type='user'><mac address='52:54:00:00:00:03'/><model type='rtl8139'/></interface>
<serial type='null'/>
<channel type='pty'><target type='virtio' name='org.test.0'/></channel>
<input type='mouse' bus='usb'/>
<graphics type='vnc'><listen type='socket' socket=')" +
                     folder.at("vnc.sock") + R"('/></graphics>
<video><model type='vga' vram='16384'/></video>
<memballoon model='none'/>
<rng model='virtio'><backend model='builtin'/></rng>
</devices></domain>)");
}

TEST_CASE("QEMU takes the USB, SCSI and character devices of an older machine") {
    const GuestFolder folder;
    check_starts(
        folder,
        R"(<domain type='qemu'><name>buses</name><memory>65536</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
<sysinfo type='fwcfg'><entry name='opt/org.example/a'>value</entry></sysinfo>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' index='0' model='ich9-ehci1'/>
<controller type='usb' index='0' model='ich9-uhci1'><master startport='0'/></controller>
<controller type='usb' index='0' model='ich9-uhci2'><master startport='2'/></controller>
<controller type='usb' index='0' model='ich9-uhci3'><master startport='4'/></controller>
<controller type='usb' index='1' model='nec-xhci'/><controller type='usb' index='2' model='pci-ohci'/>
<controller type='scsi' index='0' model='lsilogic'/><controller type='scsi' index='1' model='lsisas1068'/>
<controller type='scsi' index='2' model='vmpvscsi'/><controller type='scsi' index='3' model='lsisas1078'/>
<controller type='ccid' index='0'/><controller type='pci' index='1' model='pci-bridge'/>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file=')" +
            folder.raw_image("a.img") +
            R"('/><target dev='sda' bus='scsi'/><address type='drive' controller='0' bus='0' target='0' unit='1'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdb' bus='scsi'/><readonly/><address type='drive' controller='1' bus='0' target='0' unit='0'/></disk>
<interface type='user'><mac address='52:54:00:00:00:01'/><model type='pcnet'/></interface>
<interface type='user'><mac address='52:54:00:00:00:02'/><model type='ne2k_pci'/></interface>
<smartcard mode='passthrough' type='pty'/>
<serial type='pty'><target type='usb-serial'/></serial>
<parallel type='null'/>
<input type='keyboard' bus='usb'/>
<graphics type='vnc'><listen type='socket' socket=')" +
            folder.at("vnc.sock") + R"('/></graphics>
<video><model type='cirrus'/></video>
<sound model='ac97'/><sound model='usb'/><sound model='pcspk'/>
<watchdog model='ib700' action='none'/>
<hub type='usb'/>
<redirdev bus='usb' type='pty'/>
<memballoon model='none'/>
</devices></domain>)");
}

TEST_CASE("QEMU opens an encrypted image with the secret that was sealed for it") {
    const GuestFolder folder;
    const std::string image = folder.at("luks.img");
    const auto made = test::run_command({.words = {"qemu-img",
                                                   "create",
                                                   "-q",
                                                   "-f",
                                                   "luks",
                                                   "--object",
                                                   "secret,id=key,data=open sesame",
                                                   "-o",
                                                   "key-secret=key,iter-time=10",
                                                   image,
                                                   "1M"}},
                                        std::chrono::seconds(60));
    REQUIRE(made.status == 0);
    MasterKey key{};
    key.fill(7);
    std::ofstream(folder.at("master-key.aes"), std::ios::binary)
        .write(reinterpret_cast<const char*>(key.data()), key.size());
    LaunchFacts facts = facts_in(folder);
    facts.master_key_file = folder.at("master-key.aes");
    facts.secrets.value = [](const SecretReference&) { return std::string("open sesame"); };
    facts.secrets.seal = [key](std::string_view text) { return seal_secret(text, key, SealIv{}); };
    check_starts(facts,
                 R"(<domain type='qemu'><name>luks</name><memory>65536</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file=')" +
                     image + R"('>
 <encryption format='luks'><secret type='passphrase' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/></encryption></source>
 <target dev='vda' bus='virtio'/></disk>
<memballoon model='none'/>
</devices></domain>)");
}
