// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests with many kinds of devices, from a document to the greeting of their Linux: QEMU says
// nothing about any of them, and the kernel comes up with all of them there.
#include "tests/support/client.hpp"
#include "tests/support/guest_console.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

constexpr auto boot_limit = 240s;

/// One guest of an instance of its own.
class DeviceGuest {
  public:
    /// `head` stands before `<os>`, `devices` among the devices; `@` in both is the instance's
    /// root.
    DeviceGuest(std::string machine, std::string head, std::string devices)
        : client_(instance_.connect()),
          machine_(std::move(machine)),
          head_(at_root(head)),
          devices_(at_root(devices)) {}

    std::string at(const std::string& name) const { return instance_.root() / name; }

    void make_image(const std::string& name, std::uintmax_t size) const {
        std::ofstream(at(name)).close();
        std::filesystem::resize_file(at(name), size);
    }

    /// Starts it and waits for its greeting; it has `kinds` kinds of devices or more.
    void greets(std::size_t kinds) {
        const auto path = client_.call<ObjectPath>(libvirt_connect, "DomainDefineXML", document());
        const Target domain = libvirt_object(path, "org.libvirt.Domain");
        client_.call(domain, "Create", std::uint32_t{0});
        GuestConsole console(at("console"));
        console.await("Hello from your guest", boot_limit);
        const std::string log = text_of(at("log/qemu/devices.log"));
        CHECK(log.find("warning:") == std::string::npos);
        CHECK(log.find("qemu-system-x86_64: ") == std::string::npos);
        const std::set<std::string> there = kinds_in(log);
        CAPTURE(fmt::format("{}", fmt::join(there, " ")));
        CHECK(there.size() >= kinds);
        client_.call(domain, "Destroy", std::uint32_t{0});
    }

  private:
    std::string at_root(const std::string& text) const {
        return std::regex_replace(text, std::regex("@"), instance_.root().string());
    }

    std::string document() const {
        const GuestFiles files = guest_files();
        return fmt::format(
            "<domain type='qemu'><name>devices</name>{}"
            "<os><type arch='x86_64' machine='{}'>hvm</type><kernel>{}</kernel><initrd>{}</initrd>"
            "<cmdline>console=ttyS0 quiet</cmdline></os>"
            "<devices><serial type='unix'><source mode='bind' path='{}'/></serial>{}</devices>"
            "</domain>",
            head_,
            machine_,
            files.kernel,
            files.initrd,
            at("console"),
            devices_);
    }

    static std::string text_of(const std::string& path) {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return std::move(text).str();
    }

    /// The drivers of QEMU's command line, which is at the head of the log.
    static std::set<std::string> kinds_in(const std::string& log) {
        const std::regex driver("\"driver\":\"([^\"]*)\"[^\n]*\"id\":");
        std::set<std::string> kinds;
        for (std::sregex_iterator i(log.begin(), log.end(), driver), end; i != end; ++i) {
            kinds.insert((*i)[1]);
        }
        return kinds;
    }

    Instance instance_;
    Client client_;
    std::string machine_;
    std::string head_;
    std::string devices_;
};

} // namespace

TEST_CASE("a q35 guest greets with the devices of today") {
    DeviceGuest guest("q35",
                      R"(<genid/><memory unit='MiB'>192</memory><vcpu>2</vcpu>
<iothreads>1</iothreads>
<sysinfo type='fwcfg'><entry name='opt/org.example/a'>value</entry></sysinfo>
<features><acpi/><apic/><vmcoreinfo state='on'/></features>
<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='hpet' present='no'/></clock>)",
                      R"(
<disk type='file' device='disk'><driver name='qemu' type='raw' iothread='1' queues='2'/><source file='@/a.img'/><target dev='vda' bus='virtio'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='@/b.img'/><target dev='sda' bus='scsi'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='@/c.img'/><target dev='sdb' bus='usb'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='@/d.img'/><target dev='sdc' bus='sata'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdd' bus='sata'/><readonly/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sde' bus='scsi'/><readonly/></disk>
<controller type='usb' model='qemu-xhci' ports='8'/>
<controller type='scsi' model='virtio-scsi'/>
<controller type='pci' model='pcie-root'/>
<controller type='pci' index='1' model='pcie-root-port'/>
<controller type='pci' index='2' model='pcie-to-pci-bridge'/>
<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>
<interface type='user'><mac address='52:54:00:00:00:02'/><model type='e1000e'/></interface>
<interface type='user'><mac address='52:54:00:00:00:03'/><model type='vmxnet3'/></interface>
<serial type='null'><target type='pci-serial'/></serial>
<serial type='null'><target type='usb-serial'/></serial>
<console type='pty'><target type='virtio'/></console>
<channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<input type='tablet' bus='usb'/><input type='keyboard' bus='usb'/><input type='mouse' bus='usb'/>
<input type='tablet' bus='virtio'/><input type='keyboard' bus='virtio'/><input type='mouse' bus='virtio'/>
<graphics type='vnc'><listen type='socket' socket='@/vnc.sock'/></graphics>
<video><model type='virtio'/></video>
<sound model='ich9'><audio id='1'/></sound><audio id='1' type='none'/>
<watchdog model='i6300esb' action='none'/>
<memballoon model='virtio'><stats period='10'/></memballoon>
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
<panic model='isa'/>
<shmem name='shared'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>)");
    for (const char* name : {"a.img", "b.img", "c.img", "d.img"}) {
        guest.make_image(name, 1 << 20);
    }
    guest.greets(25);
}

TEST_CASE("an i440fx guest greets with the devices of yesterday") {
    DeviceGuest guest("pc",
                      R"(<memory unit='MiB'>192</memory><vcpu>1</vcpu>
<features><acpi/></features><clock offset='variable' adjustment='3600' basis='utc'/>)",
                      R"(
<controller type='usb' index='0' model='ich9-ehci1'/>
<controller type='usb' index='0' model='ich9-uhci1'><master startport='0'/></controller>
<controller type='usb' index='0' model='ich9-uhci2'><master startport='2'/></controller>
<controller type='usb' index='0' model='ich9-uhci3'><master startport='4'/></controller>
<controller type='usb' index='1' model='nec-xhci'/><controller type='usb' index='2' model='pci-ohci'/>
<controller type='scsi' index='0' model='lsilogic'/><controller type='scsi' index='1' model='lsisas1068'/>
<controller type='scsi' index='2' model='vmpvscsi'/><controller type='scsi' index='3' model='lsisas1078'/>
<controller type='pci' index='1' model='pci-bridge'/>
<disk type='file' device='disk'><driver name='qemu' type='raw' io='threads'/><source file='@/a.img'/><target dev='hda' bus='ide'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hdc' bus='ide'/><readonly/></disk>
<disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file='@/f.img'/><target dev='fda' bus='fdc'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='@/b.img'/><target dev='sda' bus='scsi'/><address type='drive' controller='0' bus='0' target='0' unit='1'/></disk>
<interface type='user'><mac address='52:54:00:00:00:01'/><model type='rtl8139'/></interface>
<interface type='user'><mac address='52:54:00:00:00:02'/><model type='pcnet'/></interface>
<interface type='user'><mac address='52:54:00:00:00:03'/><model type='ne2k_pci'/></interface>
<interface type='user'><mac address='52:54:00:00:00:04'/><model type='e1000'/></interface>
<smartcard mode='passthrough' type='pty'/>
<parallel type='null'/>
<input type='tablet' bus='usb'/>
<graphics type='vnc'><listen type='socket' socket='@/vnc.sock'/></graphics>
<video><model type='cirrus'/></video>
<sound model='ac97'/><sound model='es1370'/><sound model='sb16'/><sound model='usb'/><sound model='pcspk'/>
<watchdog model='ib700' action='none'/>
<hub type='usb'/>
<redirdev bus='usb' type='pty'/>
<memballoon model='none'/>
<rng model='virtio'><backend model='builtin'/></rng>)");
    guest.make_image("a.img", 1 << 20);
    guest.make_image("b.img", 1 << 20);
    guest.make_image("f.img", 1440 * 1024);
    guest.greets(25);
}
