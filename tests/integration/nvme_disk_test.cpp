// SPDX-License-Identifier: LGPL-2.1-or-later
// NVMe disks between qemud and nodedevd, on a host that the test makes up: leases from before QEMU
// runs until it has ended, and what is refused before a start. QEMU is real but for the namespaces,
// which are files: no kernel here has VFIO.
#include "libshared/files.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/driver_process.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/nvme_host.hpp"

#include <doctest/doctest.h>

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

std::string nvme_disk(const std::string& target,
                      unsigned bus,
                      unsigned space = 1,
                      const std::string& managed = "yes") {
    return fmt::format(
        "<disk type='nvme' device='disk'><driver name='qemu' type='raw'/><source type='pci' "
        "managed='{}' namespace='{}'><address domain='0' bus='{}' slot='0' function='0'/></source>"
        "<target dev='{}' bus='virtio'/></disk>",
        managed,
        space,
        bus,
        target);
}

/// A made-up host, an instance on it, and guests whose namespaces are files.
struct Bench {
    std::string
    document(const std::string& name, const std::string& devices, const std::string& qemu) const {
        return fmt::format("<domain type='qemu'><name>{}</name><memory unit='MiB'>64</memory>"
                           "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>"
                           "<devices><emulator>{}</emulator>\n{}</devices></domain>",
                           name,
                           qemu,
                           devices);
    }

    ObjectPath define_guest(const std::string& name, const std::string& devices) {
        return define(client, document(name, devices, emulator));
    }

    /// Why it does not start.
    std::string refusal(const ObjectPath& path) {
        return message_of([&] { start(client, path); });
    }

    bus::Dict lease(const std::string& name = "pci_5f0000_5f01_5f00_5f0") {
        return client.get<bus::Dict>(
            Target{"org.vireo", "/org/vireo/nodedev/" + name, "org.vireo.NodeDevice1"}, "Lease");
    }

    std::string holder() {
        const bus::Dict held = lease();
        return held.empty() ? "none" : *held.front().second.get<std::string>();
    }

    std::uint32_t lease_process() { return *lease().back().second.get<std::uint32_t>(); }

    std::string uuid(const ObjectPath& path) {
        return client.get<std::string>(domain_at(path), "UUID");
    }

    pid_t qemu() const {
        const auto found = instance.find("qemu-system-x86_64");
        return found.value_or(0);
    }

    NvmeHost made;
    Instance instance{InstanceOptions{.environment = {made.setting()}}};
    Client client = instance.connect();
    std::string emulator = make_nvme_emulator(instance.root());
};

} // namespace

TEST_CASE("a guest has its drive from before QEMU runs until it has ended") {
    Bench bench;
    const ObjectPath path = bench.define_guest("nvme", nvme_disk("vda", 1));
    CHECK(bench.made.driver() == "nvme");
    start(bench.client, path);
    CHECK(bench.made.driver() == "vfio-pci");
    CHECK(bench.holder() == "domain/" + bench.uuid(path));
    CHECK(bench.lease_process() == static_cast<std::uint32_t>(bench.qemu()));
    CHECK(contains(xml_of(bench.client, path), "<source type='pci' managed='yes' namespace='1'"));

    // Nobody else gets it meanwhile.
    const ObjectPath other = bench.define_guest("other", nvme_disk("vda", 1));
    CHECK(contains(bench.refusal(other),
                   "disk 'vda': 0000:01:00.0 is in use by guest 'nvme'; end that guest"));
    CHECK_FALSE(contains(bench.instance.log(), "does not go back")); // nor was it taken
    CHECK(bench.holder() == "domain/" + bench.uuid(path));

    destroy(bench.client, path);
    CHECK(bench.made.driver() == "nvme");
    CHECK(bench.holder() == "none");
    start(bench.client, other);
    CHECK(bench.holder() == "domain/" + bench.uuid(other));
    destroy(bench.client, other);
}

TEST_CASE("the drive is back when a client hears that QEMU was killed") {
    Bench bench;
    const ObjectPath path = bench.define_guest("nvme", nvme_disk("vda", 1) + nvme_disk("vdb", 2));
    Watch events = bench.client.watch(libvirt_connect, "DomainEvent");
    start(bench.client, path);
    CHECK(bench.made.driver(NvmeHost::second) == "vfio-pci");
    ::kill(bench.qemu(), SIGKILL);
    CHECK(await_event(events, 5) == 5); // stopped, failed
    CHECK(bench.made.driver() == "nvme");
    CHECK(bench.made.driver(NvmeHost::second) == "nvme");
    CHECK(bench.holder() == "none");
}

TEST_CASE("a start that fails gives the drive back") {
    Bench bench;
    // The machine's own QEMU: there is no VFIO.
    const ObjectPath path = define(
        bench.client, bench.document("nvme", nvme_disk("vda", 1), "/usr/bin/qemu-system-x86_64"));
    const std::string failure = bench.refusal(path);
    CHECK_MESSAGE(contains(failure, "QEMU said: "), failure);
    CHECK_MESSAGE(contains(failure, "vfio"), failure);
    CHECK(bench.made.driver() == "nvme");
    CHECK(bench.holder() == "none");
    // A program that is none, after the lease was taken.
    std::filesystem::permissions(bench.emulator, std::filesystem::perms::owner_all);
    const ObjectPath broken = bench.define_guest("broken", nvme_disk("vda", 1));
    std::ofstream(bench.emulator) << "#!/nowhere\n";
    CHECK(bench.refusal(broken) != "no error");
    CHECK(bench.made.driver() == "nvme");
    CHECK(bench.holder() == "none");
}

TEST_CASE("qemud may be killed: the guest keeps its drive, and its end gives it back") {
    Bench bench;
    const ObjectPath path = bench.define_guest("nvme", nvme_disk("vda", 1));
    start(bench.client, path);
    const std::string live = xml_of(bench.client, path);
    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK(bench.made.driver() == "vfio-pci");
    CHECK(xml_of(bench.client, path) == live);
    CHECK(bench.holder() == "domain/" + bench.uuid(path));
    bench.instance.end("vireo-nodedevd", SIGKILL);
    CHECK(bench.holder() == "domain/" + bench.uuid(path));
    destroy(bench.client, path);
    CHECK(bench.made.driver() == "nvme");

    // Its guest ends while no qemud runs: stopped, it neither serves nor dies.
    start(bench.client, path);
    const pid_t qemu = bench.qemu();
    ::kill(bench.instance.find("vireo-qemud").value(), SIGSTOP);
    Watch events = bench.client.watch(libvirt_connect, "DomainEvent");
    const Target device{"org.vireo",
                        "/org/vireo/nodedev/pci_5f0000_5f01_5f00_5f0",
                        "org.freedesktop.DBus.Properties"};
    Watch changes = bench.client.watch(device, "PropertiesChanged");
    ::kill(qemu, SIGKILL);
    while (bench.holder() != "none") {
        changes.take(event_limit);
    }
    CHECK(bench.made.driver() == "nvme");
    bench.instance.end("vireo-qemud", SIGKILL);
    list_domains(bench.client);                             // starts it again
    CHECK(await_event(events, 5) == 5);                     // stopped, failed
    CHECK(state_of(bench.client, path) == StatePair{5, 3}); // shut off, crashed
}

TEST_CASE("qemud is killed while the drive changes hands for a start") {
    Bench bench;
    const ObjectPath path = bench.define_guest("nvme", nvme_disk("vda", 1));
    CHECK(bench.holder() == "none"); // nodedevd runs
    bench.made.kernel.hang();
    const bus::Message call = bench.client.new_call(domain_at(path), "Create");
    bus::append(call.get(), std::uint32_t{0});
    check(sd_bus_send(bench.client.get(), call.get(), nullptr), "send");
    while (bench.holder() == "none") { // each question is answered while the call waits
    }
    const auto waiting = bench.lease_process();
    CHECK(waiting != 0);
    bench.instance.end("vireo-qemud", SIGKILL);
    bench.made.kernel.go_on();
    const Target device{"org.vireo",
                        "/org/vireo/nodedev/pci_5f0000_5f01_5f00_5f0",
                        "org.freedesktop.DBus.Properties"};
    Watch changes = bench.client.watch(device, "PropertiesChanged");
    while (bench.holder() != "none") {
        changes.take(event_limit);
    }
    CHECK(bench.made.driver() == "nvme");
    CHECK(bench.qemu() == 0);
    start(bench.client, path);
    CHECK(bench.made.driver() == "vfio-pci");
    destroy(bench.client, path);
}

TEST_CASE("a start waits for a namespace that the kernel is only just finding") {
    Bench bench;
    std::string list(4096, '\0'); // of the drive: namespaces 1, 2 and 3
    list[0] = 1;
    list[4] = 2;
    list[8] = 3;
    const std::string answer = "/dev/nvme0.namespaces";
    bench.made.host.write(answer, list);
    const ObjectPath path = bench.define_guest("nvme", nvme_disk("vda", 1, 3));
    const Fd reads(::inotify_init1(IN_CLOEXEC));
    REQUIRE(::inotify_add_watch(reads.get(), bench.made.host.at(answer).c_str(), IN_ACCESS) >= 0);
    std::thread kernel([&] {
        char asked[4096];
        CHECK(::read(reads.get(), asked, sizeof asked) > 0);
        const std::string found =
            add_namespace(bench.made.host, NvmeHost::path(NvmeHost::first) + "/nvme/nvme0", 0, 3);
        bench.made.host.send_uevent("add", found);
    });
    start(bench.client, path);
    kernel.join();
    CHECK(bench.made.driver() == "vfio-pci");
    destroy(bench.client, path);
    // What the drive does not have is refused at once.
    const ObjectPath none = bench.define_guest("none", nvme_disk("vda", 1, 4));
    CHECK(contains(bench.refusal(none), "has no namespace 4, it has 1, 2, 3"));
}

TEST_CASE("what stands in the way is said before anything is touched") {
    Bench bench;
    const auto refuses = [&](const std::string& devices, const std::string& why) {
        const ObjectPath path = bench.define_guest("guest", devices);
        const std::string text = bench.refusal(path);
        CHECK_MESSAGE(contains(text, why), text);
        CHECK(bench.made.driver() == "nvme");
        CHECK(bench.holder() == "none");
        bench.client.call(domain_at(path), "Undefine", std::uint32_t{0});
    };
    const std::string two_spaces = nvme_disk("vda", 1) + nvme_disk("vdb", 1, 2);
    refuses(two_spaces,
            "disk 'vdb': namespace 2 is on controller 0000:01:00.0, of which disk 'vda' has "
            "namespace 1");
    // The line is that of the definition as it is shown.
    const ObjectPath both = bench.define_guest("both", two_spaces);
    const std::string shown = xml_of(bench.client, both, 2);
    const auto second = static_cast<std::ptrdiff_t>(shown.rfind("<disk "));
    const auto line = 1 + std::count(shown.begin(), shown.begin() + second, '\n');
    const std::string text = bench.refusal(both);
    CHECK_MESSAGE(contains(text, fmt::format("line {}: disk 'vdb': ", line)), text);
    refuses(nvme_disk("vda", 3), "the host has no PCI device 0000:03:00.0");
    refuses(nvme_disk("vda", 1, 3), "controller 0000:01:00.0 has no namespace 3, it has 1, 2");
    refuses(nvme_disk("vda", 1, 1, "no"),
            "managed='no' and 0000:01:00.0 is with driver 'nvme', not with vfio-pci");
    bench.made.mount("/srv");
    refuses(nvme_disk("vda", 1),
            "0000:01:00.0 is in use by the host: mount '/srv' (/dev/nvme0n1); let the host");
    bench.made.host.write("/proc/1/mountinfo", "");
    bench.made.host.write("/proc/self/status", "CapEff:\t0000000000000000\n");
    refuses(
        nvme_disk("vda", 1),
        "must be allowed to lock 1140850688 bytes of memory, and this daemon may allow 8388608; "
        "raise LimitMEMLOCK=");
}

TEST_CASE("CheckDomain lists all that stands in the way, and touches nothing") {
    Bench bench;
    const Target connect{"org.vireo", "/org/vireo", "org.vireo.Connect1"};
    const auto check = [&](const std::string& devices) {
        std::vector<std::string> found;
        const auto obstacles = bench.client.call<std::vector<bus::Dict>>(
            connect, "CheckDomain", bench.document("new", devices, bench.emulator));
        for (const bus::Dict& one : obstacles) {
            REQUIRE(one.size() == 6);
            CHECK(one[3].first == "Cause");
            found.push_back(*one[0].second.get<std::string>() + " " +
                            *one[1].second.get<std::string>());
        }
        return found;
    };
    using Found = std::vector<std::string>;
    CHECK(check(nvme_disk("vda", 1)) == Found{});
    bench.made.mount("/srv");
    CHECK(check(nvme_disk("vda", 1) + nvme_disk("vdb", 1, 7) + nvme_disk("vdc", 9)) ==
          Found{"namespaces disk 'vdb'",
                "in-use-by-host disk 'vda'",
                "in-use-by-host disk 'vdb'",
                "no-namespace disk 'vdb'",
                "no-device disk 'vdc'"});
    CHECK(check("<disk type='file'><source file='/nowhere'/><target dev='vda'/></disk>") ==
          Found{"images "});
    CHECK(check("<disk type='nvme'/>") == Found{"document "});
    CHECK(bench.made.driver() == "nvme");
    CHECK(list_domains(bench.client).empty());
}

TEST_CASE("managed='no': an administrator detaches the drive, and one guest has it") {
    Bench bench;
    const Target function = libvirt_object(
        ObjectPath("/org/libvirt/QEMU/nodedev/pci_5f0000_5f01_5f00_5f0"), "org.libvirt.NodeDevice");
    bench.client.call(function, "Detach", "", std::uint32_t{0});
    const ObjectPath path = bench.define_guest("nvme", nvme_disk("vda", 1, 1, "no"));
    const ObjectPath other = bench.define_guest("other", nvme_disk("vda", 1, 1, "no"));
    const ObjectPath managed = bench.define_guest("managed", nvme_disk("vda", 1));
    start(bench.client, path);
    CHECK(contains(bench.refusal(other), "0000:01:00.0 is in use by guest 'nvme' (disk 'vda')"));
    CHECK(contains(bench.refusal(managed), "was detached from the host by an administrator"));
    destroy(bench.client, path);
    CHECK(bench.made.driver() == "vfio-pci");
    bench.client.call(function, "ReAttach");
    CHECK(bench.made.driver() == "nvme");
}

TEST_CASE("without a proxy qemud starts nodedevd by itself") {
    NvmeHost made;
    TemporaryFolder root;
    const std::string emulator = make_nvme_emulator(root.path());
    DriverProcess daemon("qemud", root.path(), {made.setting()});
    Client client = daemon.connect();
    const Target connect{"", "/org/libvirt/QEMU", "org.libvirt.Connect"};
    const auto path = client.call<ObjectPath>(
        connect,
        "DomainCreateXML",
        fmt::format("<domain type='qemu'><name>nvme</name><memory unit='MiB'>64</memory><os><type "
                    "arch='x86_64' machine='q35'>hvm</type></os><devices><emulator>{}</emulator>{}"
                    "</devices></domain>",
                    emulator,
                    nvme_disk("vda", 1)),
        std::uint32_t{0});
    CHECK(made.driver() == "vfio-pci");
    client.call(Target{"", path, "org.libvirt.Domain"}, "Destroy", std::uint32_t{0});
    CHECK(made.driver() == "nvme");
    const pid_t nodedevd = std::stoi(read_file(root.path() / "run" / "nodedevd.pid"));
    ::kill(nodedevd, SIGKILL);
    daemon.end(SIGTERM);
}
