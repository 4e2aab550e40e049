// SPDX-License-Identifier: LGPL-2.1-or-later
// Disks that are plugged into a running guest, taken from it, and whose media are changed, on real
// QEMU.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

constexpr std::uint32_t live = 1;
constexpr std::uint32_t config = 2;
constexpr std::uint32_t force = 4;

/// A guest, paused, with a SCSI and a USB controller, free PCI ports and an empty CD-ROM drive.
struct Bench {
    Bench() {
        std::filesystem::create_directories(instance.root());
        path = define(client,
                      small_guest("web",
                                  "<controller type='scsi' index='0' model='virtio-scsi'/>"
                                  "<controller type='usb' index='0' model='qemu-xhci'/>"
                                  "<controller type='pci' index='1' model='pcie-root-port'/>"
                                  "<controller type='pci' index='2' model='pcie-root-port'/>"
                                  "<controller type='pci' index='3' model='pcie-root-port'/>"
                                  "<controller type='pci' index='4' model='pcie-root-port'/>"
                                  "<controller type='pci' index='5' model='pcie-root-port'/>"
                                  "<controller type='pci' index='6' model='pcie-root-port'/>"
                                  "<disk type='file' device='cdrom'><target dev='sdz' bus='sata'/>"
                                  "<readonly/></disk>"));
        test::start(client, path, 1);
    }

    std::string image(const std::string& name) const {
        const std::string file = (instance.root() / name).string();
        std::ofstream(file).close();
        std::filesystem::resize_file(file, 1 << 20);
        return file;
    }

    static std::string disk(const std::string& file,
                            const std::string& target,
                            const std::string& bus,
                            const std::string& more = {}) {
        return "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" +
               file + "'/><target dev='" + target + "' bus='" + bus + "'/>" + more + "</disk>";
    }

    static std::string cdrom(const std::string& file) {
        const std::string source = file.empty() ? "" : "<source file='" + file + "'/>";
        return "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>" + source +
               "<target dev='sdz' bus='sata'/><readonly/></disk>";
    }

    void attach(const std::string& xml, std::uint32_t flags = live) {
        client.call(domain_at(path), "AttachDevice", xml, flags);
    }

    void detach(const std::string& xml, std::uint32_t flags = live) {
        client.call(domain_at(path), "DetachDevice", xml, flags);
    }

    void update(const std::string& xml, std::uint32_t flags = live) {
        client.call(domain_at(path), "UpdateDevice", xml, flags);
    }

    std::string xml(std::uint32_t flags = 0) { return xml_of(client, path, flags); }

    Watch watch(const char* signal) { return client.watch(domain_at(path), signal); }

    Instance instance;
    Client client = instance.connect();
    ObjectPath path;
};

std::string next_alias(Watch& devices) {
    return std::get<0>(devices.next<std::string>(event_limit));
}

} // namespace

TEST_CASE("disks come and go on every bus that can") {
    Bench bench;
    Watch added = bench.watch("DeviceAdded");
    Watch removed = bench.watch("DeviceRemoved");
    const std::string scsi = Bench::disk(bench.image("a.img"), "sda", "scsi");
    const std::string usb = Bench::disk(bench.image("b.img"), "sdb", "usb");
    const std::string virtio = Bench::disk(bench.image("c.img"), "vda", "virtio");
    // Twice: nothing is left behind that is in the way of the second time.
    for (int i = 0; i < 2; ++i) {
        bench.attach(scsi, live | config);
        CHECK(next_alias(added) == "scsi0-0-0-0");
        CHECK(contains(bench.xml(), "<alias name='scsi0-0-0-0'/>"));
        CHECK(contains(bench.xml(), "a.img' index='"));
        CHECK(contains(bench.xml(2), "a.img'"));
        bench.attach(usb);
        CHECK(next_alias(added) == "usb-disk1");
        CHECK_FALSE(contains(bench.xml(2), "b.img'"));
        bench.detach(scsi, live | config);
        CHECK(next_alias(removed) == "scsi0-0-0-0");
        bench.detach(usb);
        CHECK(next_alias(removed) == "usb-disk1");
        CHECK_FALSE(contains(bench.xml(), "a.img"));
        CHECK_FALSE(contains(bench.xml(), "b.img"));
        CHECK_FALSE(contains(bench.xml(2), "a.img"));
    }
    bench.attach(virtio);
    CHECK(next_alias(added) == "virtio-disk0");
    CHECK(contains(bench.xml(), "<alias name='virtio-disk0'/>"));
}

TEST_CASE("a daemon that is killed finds plugged disks again, and those that went meanwhile") {
    Bench bench;
    const std::string scsi = Bench::disk(bench.image("a.img"), "sda", "scsi");
    bench.attach(scsi);
    bench.attach(Bench::disk(bench.image("b.img"), "sdb", "scsi"));
    const std::string before = bench.xml();
    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK(bench.xml() == before);
    Watch removed = bench.watch("DeviceRemoved");
    bench.detach(scsi);
    CHECK(next_alias(removed) == "scsi0-0-0-0");
    CHECK_FALSE(contains(bench.xml(), "a.img"));
    CHECK(contains(bench.xml(), "b.img"));
}

TEST_CASE("what cannot be plugged is refused, and nothing has changed") {
    Bench bench;
    bench.attach(Bench::disk(bench.image("a.img"), "sda", "scsi"));
    const std::string before = bench.xml();
    const std::string stored = bench.xml(2);
    const auto refused = [&](const std::string& xml, std::uint32_t flags = live) {
        return message_of([&] { bench.attach(xml, flags); });
    };
    CHECK(contains(refused(Bench::disk("/nowhere/x.img", "vdb", "virtio")), "does not exist"));
    CHECK(contains(refused(Bench::disk(bench.image("b.img"), "sda", "scsi")),
                   "the guest has a disk with target 'sda'; give this one another"));
    CHECK(contains(refused(Bench::disk(bench.image("b.img"), "sdc", "sata")),
                   "bus='sata' cannot be plugged into a running guest"));
    // The same image twice: QEMU's lock says no, after its nodes were begun.
    CHECK(contains(refused(Bench::disk((bench.instance.root() / "a.img").string(), "sdb", "scsi")),
                   "lock"));
    CHECK(contains(refused("<disk type='file'><target dev='sdb' bus='scsi'/></disk>"), "disk"));
    CHECK(contains(message_of([&] { bench.detach(Bench::disk("/x", "sdq", "scsi")); }),
                   "has no disk 'sdq'"));
    // The definition cannot have it: the running guest does not get it either.
    bench.client.call(domain_at(bench.path),
                      "AttachDevice",
                      Bench::disk(bench.image("c.img"), "sdb", "scsi"),
                      config);
    const std::string with_sdb = bench.xml(2);
    CHECK(refused(Bench::disk(bench.image("d.img"), "sdb", "scsi"), live | config) != "no error");
    CHECK(bench.xml() == before);
    CHECK(bench.xml(2) == with_sdb);
    CHECK(with_sdb != stored);
}

TEST_CASE("the medium of a CD-ROM drive is put in, changed and taken out") {
    Bench bench;
    const std::string first = bench.image("first.iso");
    const std::string second = bench.image("second.iso");
    Watch trays = bench.watch("TrayChange");
    bench.update(Bench::cdrom(first), live | config);
    CHECK(contains(bench.xml(), first));
    CHECK(contains(bench.xml(2), first));
    for (const std::int32_t wanted : {0, 1}) { // open, close
        const auto [alias, reason] = trays.next<std::string, std::int32_t>(event_limit);
        CHECK(alias == "sata4-0-1");
        CHECK(reason == wanted);
    }
    bench.update(Bench::cdrom(second));
    CHECK(contains(bench.xml(), second));
    CHECK(contains(bench.xml(2), first));
    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK(contains(bench.xml(), second));
    CHECK(contains(message_of([&] { bench.update(Bench::cdrom("/nowhere.iso")); }),
                   "image '/nowhere.iso' does not exist"));
    CHECK(contains(bench.xml(), second));
    bench.update(Bench::cdrom({}), live | force);
    CHECK_FALSE(contains(bench.xml(), second));
    // Its image is free again.
    bench.attach(Bench::disk(second, "sda", "scsi"));
    // Nothing else of a disk can be changed.
    std::string other = Bench::cdrom(first);
    other.replace(other.find("<readonly/>"), 11, "<readonly/><serial>X</serial>");
    CHECK(contains(message_of([&] { bench.update(other); }),
                   "only the medium of a CD-ROM or floppy drive can be changed"));
    CHECK(contains(message_of([&] { bench.update(Bench::disk(first, "sda", "scsi")); }),
                   "only the medium of a CD-ROM or floppy drive can be changed"));
}
