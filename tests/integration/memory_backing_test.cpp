// SPDX-License-Identifier: LGPL-2.1-or-later
// What of the host a guest's memory lies on: huge pages, files, memfd, locked, of which nodes. On
// real QEMU, seen in its /proc.
#include "tests/support/domain_calls.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

constexpr std::uint32_t paused = 1;
constexpr std::uint32_t live = 1;

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A guest of one NUMA cell whose firmware finds nothing to boot.
std::string
guest_xml(const std::string& head, const std::string& devices = {}, unsigned memory_mib = 64) {
    return fmt::format(
        "<domain type='qemu'><name>backed</name><maxMemory slots='4' unit='MiB'>{3}</maxMemory>\n"
        "<memory unit='MiB'>{0}</memory><vcpu>1</vcpu>{1}\n"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>"
        "<cpu><numa><cell id='0' cpus='0' memory='{0}' unit='MiB'/></numa></cpu>"
        "<devices>{2}</devices></domain>",
        memory_mib,
        head,
        devices,
        memory_mib + 4096);
}

/// An instance with that guest, and its QEMU's files in /proc.
struct Backed {
    Instance instance;
    Client client = instance.connect();
    ObjectPath path;

    explicit Backed(const std::string& xml) : path(define(client, xml)) {}

    std::string proc(const char* file) const {
        const auto pid = instance.find("qemu-system-x86_64");
        REQUIRE(pid);
        return content_of(fmt::format("/proc/{}/{}", *pid, file));
    }

    std::string start_error() {
        return message_of([&] { start(client, path, paused); });
    }
};

/// KiB of a line of /proc/PID/status.
std::uint64_t status_kib(const std::string& status, const std::string& key) {
    std::smatch found;
    const bool there = std::regex_search(status, found, std::regex(key + ":\\s+(\\d+) kB"));
    REQUIRE(there);
    return std::stoull(found[1]);
}

/// Source: capabilities(7); CAP_SYS_RESOURCE is number 24.
bool may_raise_limits() {
    std::smatch found;
    const std::string status = content_of("/proc/self/status");
    std::regex_search(status, found, std::regex("CapEff:\\s+([0-9a-f]+)"));
    if (!found.empty() && (std::stoull(found[1], nullptr, 16) >> 24 & 1) != 0) {
        return true;
    }
    MESSAGE("skipped: raising a limit needs CAP_SYS_RESOURCE");
    return false;
}

/// Huge pages of 2 MiB that are free, mounted where nobody else has them; given back at the end.
class FreeHugePages {
  public:
    explicit FreeHugePages(unsigned count) {
        const unsigned before = pages();
        std::ofstream(pool) << before + count;
        added_ = pages() - std::min(before, pages());
        enough_ = added_ >= count;
        mounted_ = ::mount("none", folder_.path().c_str(), "hugetlbfs", 0, "pagesize=2M") == 0;
    }

    FreeHugePages(const FreeHugePages&) = delete;
    FreeHugePages& operator=(const FreeHugePages&) = delete;

    ~FreeHugePages() {
        if (mounted_) {
            ::umount(folder_.path().c_str());
        }
        std::ofstream(pool) << pages() - std::min(added_, pages());
    }

    bool usable() const {
        if (!enough_ || !mounted_) {
            MESSAGE("skipped: this machine gives no huge pages, or no place to mount them");
        }
        return enough_ && mounted_;
    }

    const std::filesystem::path& folder() const { return folder_.path(); }

  private:
    static constexpr const char* pool = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

    static unsigned pages() {
        unsigned count = 0;
        std::ifstream(pool) >> count;
        return count;
    }

    TemporaryFolder folder_;
    unsigned added_ = 0;
    bool enough_ = false;
    bool mounted_ = false;
};

std::ptrdiff_t folders_in(const std::filesystem::path& path) {
    const std::filesystem::directory_iterator all(path);
    return std::distance(begin(all), end(all));
}

const std::string huge = "<memoryBacking><hugepages/></memoryBacking>";

} // namespace

TEST_CASE("a guest lies on huge pages, and leaves no folder where they are mounted") {
    const FreeHugePages pages(40);
    if (!pages.usable()) {
        return;
    }
    std::string head;
    SUBCASE("of the default size") {
        head = huge;
    }
    SUBCASE("of a size, for a cell, from a node") {
        head = "<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='0'/></hugepages>"
               "</memoryBacking><numatune><memnode cellid='0' mode='strict' nodeset='0'/>"
               "</numatune>";
    }
    SUBCASE("by memfd") {
        head = "<memoryBacking><hugepages/><source type='memfd'/><access mode='shared'/>"
               "</memoryBacking>";
    }
    Backed backed(guest_xml(head));
    start(backed.client, backed.path, paused);
    const std::string maps = backed.proc("smaps");
    // The size of the mapping, some lines below it that of its pages.
    CHECK(std::regex_search(maps, std::regex("\nSize: +65536 kB\nKernelPageSize: +2048 kB\n")));
    destroy(backed.client, backed.path);
    CHECK(folders_in(pages.folder() / "vireo/qemu") == 0);
}

TEST_CASE("huge pages that are not there are refused with their number and what to do") {
    constexpr unsigned too_much_mib = 2 << 20;
    Backed backed(guest_xml("<memoryBacking>\n<hugepages><page size='2' unit='MiB'/></hugepages>"
                            "</memoryBacking>",
                            {},
                            too_much_mib));
    const std::string refused = backed.start_error();
    if (std::filesystem::exists("/sys/kernel/mm/hugepages/hugepages-2048kB")) {
        CHECK(contains(
            refused,
            "<memoryBacking>: 1048576 huge pages of 2048 KiB are wanted (NUMA cell 0) and"));
        CHECK(contains(refused, "nr_hugepages in /sys/kernel/mm/hugepages/hugepages-2048kB"));
    }
    Backed other(guest_xml("<memoryBacking><hugepages><page size='5' unit='MiB'/></hugepages>"
                           "</memoryBacking>"));
    CHECK(contains(other.start_error(), "the host has no huge pages of 5120 KiB"));
}

TEST_CASE("memory in files has no name once QEMU has it") {
    Backed backed(guest_xml("<memoryBacking><source type='file'/><access mode='shared'/>"
                            "<discard/></memoryBacking>"));
    start(backed.client, backed.path, paused);
    CHECK(std::regex_search(backed.proc("maps"),
                            std::regex("rw-s .*/qemu/ram/\\d+/ram-node0 \\(deleted\\)")));
    for (const std::string& file : backed.instance.files()) {
        CHECK_FALSE(contains(file, "ram-node"));
    }
    // Its devices' memory does not stay either.
    backed.client.call(domain_at(backed.path),
                       "AttachDevice",
                       "<memory model='dimm'><target><size unit='MiB'>64</size><node>0</node>"
                       "</target></memory>",
                       live);
    CHECK(std::regex_search(backed.proc("maps"),
                            std::regex("rw-s .*/qemu/ram/\\d+/dimm0 \\(deleted\\)")));
    for (const std::string& file : backed.instance.files()) {
        CHECK_FALSE(contains(file, "dimm0"));
    }
}

TEST_CASE("shared memory is a memfd, and what is wanted at once is there at once") {
    Backed backed(guest_xml("<memoryBacking><source type='memfd'/><access mode='shared'/>"
                            "<allocation mode='immediate' threads='2'/></memoryBacking>"));
    start(backed.client, backed.path, paused);
    CHECK(std::regex_search(backed.proc("maps"), std::regex("rw-s .*/memfd:")));
    CHECK(status_kib(backed.proc("status"), "RssShmem") >= 65536);
}

TEST_CASE("locked memory, and how much QEMU may lock") {
    SUBCASE("a low limit") {
        Backed backed(guest_xml("<memtune><hard_limit unit='KiB'>4096</hard_limit></memtune>"));
        start(backed.client, backed.path, paused);
        CHECK(std::regex_search(backed.proc("limits"),
                                std::regex("Max locked memory +4194304 +4194304")));
    }
    SUBCASE("all of it") {
        if (!may_raise_limits()) {
            return;
        }
        Backed backed(guest_xml("<memoryBacking><locked/></memoryBacking>"));
        start(backed.client, backed.path, paused);
        CHECK(status_kib(backed.proc("status"), "VmLck") >= 65536);
        CHECK(std::regex_search(backed.proc("limits"),
                                std::regex("Max locked memory +unlimited +unlimited")));
    }
    SUBCASE("a high limit") {
        if (!may_raise_limits()) {
            return;
        }
        Backed backed(guest_xml("<memtune><hard_limit unit='MiB'>777</hard_limit></memtune>"));
        start(backed.client, backed.path, paused);
        CHECK(std::regex_search(backed.proc("limits"),
                                std::regex("Max locked memory +814743552 +814743552")));
    }
}

TEST_CASE("memory comes from the host's nodes that the document names") {
    if (!std::filesystem::exists("/proc/self/numa_maps") ||
        !std::filesystem::exists("/sys/devices/system/node/node0")) {
        MESSAGE("skipped: this kernel knows no NUMA");
        return;
    }
    const auto tune = [](const std::string& mode) {
        return guest_xml("<numatune><memory mode='" + mode + "' nodeset='0'/></numatune>");
    };
    std::string mode;
    std::string policy;
    SUBCASE("strict") {
        mode = "strict";
        policy = "bind:0";
    }
    SUBCASE("restrictive") {
        mode = "restrictive";
        policy = "bind:0";
    }
    SUBCASE("preferred") {
        mode = "preferred";
        policy = "prefer:0";
    }
    SUBCASE("interleave") {
        mode = "interleave";
        policy = "interleave:0";
    }
    Backed backed(tune(mode));
    start(backed.client, backed.path, paused);
    // QEMU's own memory, and the guest's.
    const std::string maps = backed.proc("numa_maps");
    CHECK(std::regex_search(maps, std::regex(" " + policy + " heap")));
    CHECK_FALSE(contains(maps, " default "));
}

TEST_CASE("nodes that are not there, and a host that gives no advice") {
    Backed backed(guest_xml("<numatune><memory mode='strict' nodeset='9'/></numatune>"));
    CHECK(contains(backed.start_error(), "the host has no NUMA node '9'"));
    Backed advised(guest_xml("<numatune><memory mode='strict' placement='auto'/></numatune>"));
    if (!std::filesystem::exists("/usr/bin/numad")) {
        CHECK(contains(advised.start_error(), "install it, or name the nodes by nodeset="));
    }
}

TEST_CASE("memory that lasts: NVDIMM and virtio-pmem") {
    const TemporaryFolder folder;
    const std::string file = folder.path() / "pmem";
    std::ofstream(file).close();
    std::filesystem::resize_file(file, 128 << 20);
    const std::string nvdimm = fmt::format(
        "<memory model='nvdimm' access='shared'><source><path>{}</path><alignsize unit='MiB'>2"
        "</alignsize></source><target><size unit='MiB'>64</size><node>0</node><label><size "
        "unit='KiB'>256</size></label></target></memory>",
        file);
    const std::string pmem =
        fmt::format("<memory model='virtio-pmem' access='shared'><source><path>{}.2</path></source>"
                    "<target><size unit='MiB'>64</size></target></memory>",
                    file);
    std::filesystem::copy_file(file, file + ".2");
    Backed backed(guest_xml({}, nvdimm));
    start(backed.client, backed.path, paused);
    CHECK(contains(backed.proc("maps"), "rw-s"));
    const std::string alive = xml_of(backed.client, backed.path);
    CHECK(contains(alive, "<alias name='nvdimm0'/>"));
    CHECK(contains(alive, "<address type='dimm' slot='0' base='0x"));

    const Target domain = domain_at(backed.path);
    backed.client.call(domain, "AttachDevice", pmem, live);
    CHECK(contains(xml_of(backed.client, backed.path), "<alias name='virtiopmem0'/>"));
    CHECK(contains(message_of([&] { backed.client.call(domain, "DetachDevice", pmem, live); }),
                   "cannot remove a memory device of model 'virtio-pmem' from a running guest"));
    std::string second = nvdimm;
    second.replace(second.find("</path>"), 0, ".3");
    CHECK_FALSE(std::filesystem::exists(file + ".3"));
    backed.client.call(domain, "AttachDevice", second, live);
    CHECK(std::filesystem::file_size(file + ".3") == 64 << 20); // QEMU makes what is not there
    CHECK(contains(xml_of(backed.client, backed.path), "<alias name='nvdimm1'/>"));
    CHECK(std::filesystem::file_size(file) == 128 << 20);
    destroy(backed.client, backed.path);
    CHECK(std::filesystem::exists(file));
}

TEST_CASE("an NVDIMM that the machine cannot take leaves no file behind") {
    const TemporaryFolder folder;
    const std::string file = folder.path() / "pmem";
    Backed backed(guest_xml({}));
    start(backed.client, backed.path, paused);
    const std::string nvdimm =
        fmt::format("<memory model='nvdimm'><source><path>{}</path></source><target><size "
                    "unit='MiB'>64</size><node>0</node></target></memory>",
                    file);
    // The machine was started without one, and cannot learn of them any more.
    CHECK(contains(message_of([&] {
                       backed.client.call(domain_at(backed.path), "AttachDevice", nvdimm, live);
                   }),
                   "nvdimm is not enabled"));
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK_FALSE(contains(xml_of(backed.client, backed.path), "nvdimm"));
}
