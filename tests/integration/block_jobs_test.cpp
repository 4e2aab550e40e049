// SPDX-License-Identifier: LGPL-2.1-or-later
// Snapshots of disks, commits and copies of a running guest on real QEMU: the chain that the live
// document shows, what is in the images, and the daemon killed meanwhile.
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

// virDomainBlockJobType and virConnectDomainEventBlockJobStatus
constexpr std::int32_t copy = 2;
constexpr std::int32_t commit = 3;
constexpr std::int32_t active_commit = 4;
constexpr std::int32_t completed = 0;
constexpr std::int32_t cancelled = 2;
constexpr std::int32_t ready = 3;
constexpr std::uint32_t pivot = 2;
constexpr std::uint32_t disk_only = 16;
constexpr std::uint32_t no_metadata = 4;
constexpr std::uint32_t reuse = 32;

using JobInfo = std::tuple<std::int32_t, std::uint64_t, std::uint64_t, std::uint64_t>;

/// A guest, paused, with a raw disk of 4 MiB: one full of `A`, three of `Z`.
struct Bench {
    explicit Bench(const std::string& devices = {}) {
        std::filesystem::create_directories(instance.root());
        base = file("base.img");
        std::ofstream(base) << std::string(1 << 20, 'A') << std::string(3 << 20, 'Z');
        path =
            define(client,
                   small_guest("web",
                               "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                               "<source file='" +
                                   base + "'/><target dev='vda' bus='virtio'/></disk>" + devices));
        test::start(client, path, 1);
    }

    std::string file(const std::string& name) const { return (instance.root() / name).string(); }

    void tool(std::vector<std::string> words) const {
        const Finished finished = instance.run(std::move(words), 60s);
        REQUIRE_MESSAGE(finished.status == 0, finished.output);
    }

    /// A qcow2 image upon another, with the MiB at `at` full of the byte. That one is in use.
    void make_overlay(const std::string& image,
                      const std::string& below,
                      const std::string& format,
                      int at,
                      const std::string& byte) const {
        tool({"qemu-img",
              "create",
              "-q",
              "-f",
              "qcow2",
              "-u",
              "-b",
              below,
              "-F",
              format,
              image,
              "4M"});
        tool({"qemu-io",
              "-c",
              "write -P " + byte + " " + std::to_string(at) + "M 1M",
              "json:{\"driver\":\"qcow2\",\"backing\":null,\"file\":{\"driver\":\"file\","
              "\"filename\":\"" +
                  image + "\"}}"});
    }

    bool has(const std::string& image, const std::string& format, int at, const std::string& byte) {
        const std::string read = "read -P " + byte + " " + std::to_string(at) + "M 1M";
        const Finished finished =
            instance.run({"qemu-io", "-r", "-U", "-f", format, "-c", read, image}, 60s);
        const bool differs = finished.output.find("verification failed") != std::string::npos;
        REQUIRE_MESSAGE((differs || finished.status == 0), finished.output);
        return !differs;
    }

    std::string snapshot_xml(const std::string& overlay, const std::string& name = "s1") const {
        return "<domainsnapshot><name>" + name +
               "</name><disks><disk name='vda' snapshot='external'><driver type='qcow2'/><source "
               "file='" +
               overlay + "'/></disk></disks></domainsnapshot>";
    }

    ObjectPath snapshot(const std::string& xml, std::uint32_t flags = disk_only) {
        return client.call<ObjectPath>(domain_at(path), "SnapshotCreateXML", xml, flags);
    }

    void start_commit(const std::string& from,
                      const std::string& to,
                      std::uint32_t flags,
                      std::uint64_t bandwidth = 0) {
        client.call(domain_at(path), "BlockCommit", "vda", to, from, bandwidth, flags);
    }

    void start_copy(const std::string& xml, const bus::Dict& params = {}, std::uint32_t flags = 4) {
        client.call(domain_at(path), "BlockCopy", "vda", xml, params, flags);
    }

    void end_job(std::uint32_t flags) {
        client.call(domain_at(path), "BlockJobAbort", "vda", flags);
    }

    JobInfo job() {
        return client.call<JobInfo>(domain_at(path), "GetBlockJobInfo", "vda", std::uint32_t{1});
    }

    std::string xml(std::uint32_t flags = 0) { return xml_of(client, path, flags); }

    std::string refusal(const std::function<void()>& call) { return message_of(call); }

    Instance instance;
    Client client = instance.connect();
    std::string base;
    ObjectPath path;
};

Watch watch_jobs(Bench& bench) {
    return bench.client.watch(domain_at(bench.path), "BlockJob");
}

void await(Watch& jobs, std::int32_t type, std::int32_t status) {
    const auto [disk, is_type, is_status] =
        jobs.next<std::string, std::int32_t, std::int32_t>(event_limit);
    CHECK(disk == "vda");
    CHECK(is_type == type);
    CHECK(is_status == status);
}

std::string copy_xml(const std::string& to, const std::string& format) {
    return "<disk type='file'><source file='" + to + "'/><driver type='" + format + "'/></disk>";
}

} // namespace

TEST_CASE("a snapshot puts an overlay above the disk, and a commit takes it away again") {
    Bench bench;
    const std::string overlay = bench.file("overlay.qcow2");
    const ObjectPath taken = bench.snapshot(bench.snapshot_xml(overlay));
    const std::vector<std::string> chain{"<driver name='qemu' type='qcow2'/>",
                                         "overlay.qcow2' index='",
                                         "<backingStore type='file' index='1'>",
                                         "<format type='raw'/>",
                                         "base.img'",
                                         "<backingStore/>"};
    CHECK_MESSAGE(in_order(bench.xml(), chain), bench.xml());
    CHECK(std::filesystem::status(overlay).permissions() == std::filesystem::perms(0600));
    // The definition goes along: its headers tell the rest.
    CHECK(contains(bench.xml(2), "<source file='" + overlay + "'/>"));
    CHECK(contains(bench.xml(2), "<driver name='qemu' type='qcow2'/>"));

    const Target snapshot = libvirt_object(taken, "org.libvirt.DomainSnapshot");
    CHECK(bench.client.call<bool>(snapshot, "IsCurrent", std::uint32_t{0}));
    const auto shown = bench.client.call<std::string>(snapshot, "GetXMLDesc", std::uint32_t{0});
    CHECK(contains(shown, "<name>s1</name>"));
    CHECK(contains(shown, "<disk name='vda' snapshot='external' type='file'>"));
    CHECK(contains(shown, bench.base));

    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK_MESSAGE(in_order(bench.xml(), chain), bench.xml());

    Watch jobs = watch_jobs(bench);
    CHECK(contains(bench.refusal([&] { bench.start_commit("", "", 0); }),
                   "commit of 'vda' active layer requires active flag"));
    bench.start_commit("", "", 4);
    await(jobs, active_commit, ready);
    CHECK(std::get<0>(bench.job()) == active_commit);
    CHECK(contains(bench.xml(), "<mirror type='file' job='active-commit' ready='yes'>"));
    CHECK(contains(bench.refusal([&] { bench.start_commit("", "", 4); }),
                   "disk 'vda' already in active block job"));
    bench.end_job(pivot);
    await(jobs, active_commit, completed);
    CHECK_FALSE(contains(bench.instance.log(), "belongs to no image"));
    CHECK_FALSE(contains(bench.xml(), "overlay.qcow2"));
    CHECK_FALSE(contains(bench.xml(), "<mirror"));
    CHECK(contains(bench.xml(2), "<source file='" + bench.base + "'/>"));
    CHECK(std::get<0>(bench.job()) == 0);
    CHECK(contains(bench.refusal([&] { bench.end_job(0); }), "has no active block job"));

    // Its nodes are gone: the same again, and the disk can be copied.
    std::filesystem::remove(overlay);
    bench.snapshot(bench.snapshot_xml(overlay), disk_only | no_metadata);
    bench.start_commit("", "", 4);
    await(jobs, active_commit, ready);
    bench.end_job(pivot);
    await(jobs, active_commit, completed);
    bench.start_copy(copy_xml(bench.file("copy.qcow2"), "qcow2"));
    await(jobs, copy, ready);
    bench.end_job(0);
    await(jobs, copy, cancelled);
}

TEST_CASE("what is in the images of a chain goes where a commit says") {
    Bench bench;
    const std::string middle = bench.file("middle.qcow2");
    const std::string top = bench.file("top.qcow2");
    bench.make_overlay(middle, bench.base, "raw", 1, "0x42");
    bench.snapshot(bench.snapshot_xml(middle), disk_only | no_metadata | reuse);
    bench.make_overlay(top, middle, "qcow2", 2, "0x43");
    bench.snapshot(bench.snapshot_xml(top, "s2"), disk_only | no_metadata | reuse);
    CHECK(in_order(bench.xml(), {"top.qcow2'", "middle.qcow2'", "base.img'"}));

    Watch jobs = watch_jobs(bench);
    // The middle one, by its number in the chain.
    bench.start_commit("vda[2]", bench.base, 0);
    await(jobs, commit, completed);
    CHECK(in_order(bench.xml(), {"top.qcow2'", "base.img'"}));
    CHECK_FALSE(contains(bench.xml(), "middle.qcow2"));
    bench.start_commit("", "", 4 | 2); // and delete what it takes together
    await(jobs, active_commit, ready);
    bench.end_job(pivot);
    await(jobs, active_commit, completed);
    destroy(bench.client, bench.path);
    CHECK(bench.has(bench.base, "raw", 0, "0x41"));
    CHECK(bench.has(bench.base, "raw", 1, "0x42"));
    CHECK(bench.has(bench.base, "raw", 2, "0x43"));
    CHECK(bench.has(bench.base, "raw", 3, "0x5a"));
    CHECK_FALSE(bench.has(bench.base, "raw", 3, "0x43"));
    CHECK_FALSE(std::filesystem::exists(top));
}

TEST_CASE("a disk is copied, and the guest goes on on the copy after the pivot") {
    Bench bench;
    Watch jobs = watch_jobs(bench);
    const std::string to = bench.file("copy.qcow2");
    bench.start_copy(copy_xml(to, "qcow2"));
    await(jobs, copy, ready);
    CHECK(contains(bench.xml(), "<mirror type='file' job='copy' ready='yes'>"));
    const auto [type, speed, at, end] = bench.job();
    CHECK(type == copy);
    CHECK(at == end);
    // Killed here, the next daemon pivots.
    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK(contains(bench.xml(), "<mirror type='file' job='copy' ready='yes'>"));
    bench.end_job(pivot);
    await(jobs, copy, completed);
    CHECK(contains(bench.xml(), to));
    CHECK_FALSE(contains(bench.xml(), "base.img"));
    CHECK(contains(bench.xml(2), "<source file='" + to + "'/>"));
    destroy(bench.client, bench.path);
    bench.tool({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", bench.base, to});
    test::start(bench.client, bench.path, 1);
    CHECK(contains(bench.xml(), to));
}

TEST_CASE("qemud is killed while a copy runs: the job is known, and its end told of") {
    Bench bench;
    Watch jobs = watch_jobs(bench);
    const std::string to = bench.file("copy.qcow2");
    bench.start_copy(copy_xml(to, "qcow2"), {{"bandwidth", std::uint64_t{4096}}});
    CHECK(contains(bench.refusal([&] { bench.end_job(pivot); }), "is not ready for the pivot yet"));
    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK(contains(bench.xml(), "<mirror type='file' job='copy'>"));
    const auto [type, speed, at, end] = bench.job();
    CHECK(type == copy);
    CHECK(speed == 4096);
    CHECK(at < end);
    bench.client.call(
        domain_at(bench.path), "BlockJobSetSpeed", "vda", std::uint64_t{0}, std::uint32_t{0});
    await(jobs, copy, ready);
    bench.end_job(0);
    await(jobs, copy, cancelled);
    CHECK_FALSE(contains(bench.xml(), "<mirror"));
    CHECK(contains(bench.xml(), "base.img"));
    // Its nodes are gone.
    std::filesystem::remove(to);
    bench.start_copy(copy_xml(to, "qcow2"));
    await(jobs, copy, ready);
    bench.end_job(0);
}

TEST_CASE("what cannot be snapshotted or copied is refused, and nothing is left of it") {
    Bench bench(
        "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>");
    const std::string before = bench.xml();
    const std::string overlay = bench.file("overlay.qcow2");
    const auto refused = [&](const std::string& xml, std::uint32_t flags) {
        return bench.refusal([&] { bench.snapshot(xml, flags); });
    };
    CHECK(contains(refused(bench.snapshot_xml(overlay), 0), "flag DISK_ONLY (16)"));
    std::string other = bench.snapshot_xml(overlay);
    other.replace(other.find("vda"), 3, "vdx");
    CHECK(contains(refused(other, disk_only), "the domain has no disk 'vdx'"));
    std::string raw = bench.snapshot_xml(overlay);
    raw.replace(raw.find("qcow2"), 5, "raw");
    CHECK(contains(refused(raw, disk_only), "an overlay has the format qcow2 or qed, not 'raw'"));
    std::ofstream(overlay) << "precious";
    CHECK(contains(refused(bench.snapshot_xml(overlay), disk_only), "File exists"));
    CHECK(std::filesystem::file_size(overlay) == 8);
    CHECK(contains(refused(bench.snapshot_xml(bench.file("no/where")), disk_only), "No such file"));
    const auto copied = [&](const std::string& xml, std::uint32_t flags = 4) {
        return bench.refusal([&] { bench.start_copy(xml, {}, flags); });
    };
    CHECK(contains(copied(copy_xml(bench.base, "raw")), "is an image of disk 'vda' itself"));
    CHECK(contains(copied(copy_xml(overlay, "qcow2")), "File exists"));
    CHECK(contains(copied(copy_xml(bench.file("x"), "raw"), 1), "unsupported flags (0x1)"));
    // Smaller than the disk: QEMU says no.
    std::filesystem::resize_file(overlay, 1 << 20);
    CHECK(copied(copy_xml(overlay, "raw"), 2) != "no error");
    CHECK(std::filesystem::exists(overlay)); // it was said to exist
    CHECK(bench.xml() == before);
    CHECK(std::get<0>(bench.job()) == 0);
}

TEST_CASE("snapshots are a tree, are kept over restarts, and go with their domain") {
    Bench bench;
    const auto list = [&](std::uint32_t flags = 0) {
        return bench.client
            .call<std::vector<ObjectPath>>(domain_at(bench.path), "ListDomainSnapshots", flags)
            .size();
    };
    constexpr std::uint32_t has_snapshot = 4096; // virConnectListAllDomainsFlags
    constexpr std::uint32_t no_snapshot = 8192;
    CHECK(list_domains(bench.client, has_snapshot).empty());
    CHECK(list_domains(bench.client, no_snapshot) == std::vector{bench.path});
    const ObjectPath first = bench.snapshot(bench.snapshot_xml(bench.file("1.qcow2"), "first one"));
    const ObjectPath second = bench.snapshot(bench.snapshot_xml(bench.file("2.qcow2"), "second"));
    CHECK(list_domains(bench.client, has_snapshot) == std::vector{bench.path});
    CHECK(list_domains(bench.client, no_snapshot).empty());
    CHECK(list() == 2);
    CHECK(list(1) == 1); // roots
    CHECK(contains(
        bench.refusal([&] { bench.snapshot(bench.snapshot_xml(bench.file("3.qcow2"), "second")); }),
        "domain snapshot second already exists"));
    bench.instance.end("vireo-qemud", SIGKILL);
    CHECK(bench.client.call<ObjectPath>(libvirt_object(second, "org.libvirt.DomainSnapshot"),
                                        "GetParent",
                                        std::uint32_t{0}) == first);
    CHECK(bench.client.call<ObjectPath>(
              domain_at(bench.path), "SnapshotCurrent", std::uint32_t{0}) == second);
    CHECK(bench.client.call<ObjectPath>(
              domain_at(bench.path), "SnapshotLookupByName", "first one", std::uint32_t{0}) ==
          first);
    const Target of_second = libvirt_object(second, "org.libvirt.DomainSnapshot");
    CHECK(contains(bench.refusal([&] { bench.client.call(of_second, "Delete", std::uint32_t{0}); }),
                   "METADATA_ONLY (2)"));
    bench.client.call(of_second, "Delete", std::uint32_t{2});
    CHECK(contains(
        bench.refusal([&] { bench.client.call(of_second, "IsCurrent", std::uint32_t{0}); }),
        "Domain snapshot not found"));
    CHECK(bench.client.call<ObjectPath>(
              domain_at(bench.path), "SnapshotCurrent", std::uint32_t{0}) == first);
    CHECK(contains(bench.refusal([&] {
        bench.client.call(domain_at(bench.path), "Undefine", std::uint32_t{0});
    }),
                   "with 1 snapshots"));
    destroy(bench.client, bench.path);
    bench.client.call(domain_at(bench.path), "Undefine", std::uint32_t{2});
    CHECK_FALSE(std::filesystem::exists(bench.instance.root() / "var/lib/qemu/snapshots"));
}
