// SPDX-License-Identifier: LGPL-2.1-or-later
// The host's huge pages, and whether there are enough for a guest: on a host that is made up.
#include "libshared/error.hpp"
#include "qemu-driver/devices/memory_policy.hpp"
#include "qemu-driver/launch/huge_pages.hpp"
#include "qemu-driver/launch/memory_folders.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_pages.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace vireo;
using namespace vireo::qemu;
using vireo::test::contains;

namespace {

/// Two nodes; pages of 2 MiB (the default): 100, of which 20 are promised; of 1 GiB: none.
struct Host {
    test::HostTree tree;
    Sysfs sysfs{tree.root()};
    HostFacts facts;

    Host() {
        tree.write("/proc/meminfo", "MemTotal: 1 kB\nHugepagesize:    2048 kB\n");
        tree.write("/proc/mounts",
                   "proc /proc proc rw 0 0\n"
                   "hugetlbfs /dev/huge\\040pages hugetlbfs rw,relatime,pagesize=2M 0 0\n"
                   "other /mnt/other hugetlbfs rw,pagesize=2M 0 0\n");
        pool(2048, "free_hugepages", 100);
        pool(2048, "resv_hugepages", 20);
        pool(2048, "nr_overcommit_hugepages", 0);
        pool(2048, "surplus_hugepages", 0);
        pool(1048576, "free_hugepages", 0);
        node(0, 70);
        node(1, 30);
        facts.huge_pages.push_back({.size_kib = 2048, .path = {}, .is_default = true});
    }

    void pool(unsigned size, const char* file, unsigned value) {
        tree.write(fmt::format("/sys/kernel/mm/hugepages/hugepages-{}kB/{}", size, file),
                   std::to_string(value));
    }

    void node(unsigned number, unsigned free) {
        tree.write(
            fmt::format("/sys/devices/system/node/node{}/hugepages/hugepages-2048kB/free_hugepages",
                        number),
            std::to_string(free));
    }

    std::string refusal(const DomainDef& def) const {
        try {
            require_huge_pages(def, facts, sysfs);
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::config_unsupported);
            return e.what();
        }
        return "enough";
    }
};

DomainDef guest(unsigned mib, const std::string& pages, const std::string& more = {}) {
    DomainDef def = parse_domain(fmt::format(
        "<domain type='qemu'><name>g</name><memory unit='MiB'>{0}</memory>\n<memoryBacking>"
        "<hugepages>{1}</hugepages></memoryBacking><os><type>hvm</type></os><cpu><numa>"
        "<cell id='0' memory='{0}' unit='MiB'/></numa></cpu>{2}<devices/></domain>",
        mib,
        pages,
        more));
    return def;
}

} // namespace

TEST_CASE("sizes of huge pages, and where they are mounted") {
    const Host host;
    const auto dirs = huge_page_dirs(host.sysfs, "7-guest");
    REQUIRE(dirs.size() == 2);
    CHECK(dirs[0].size_kib == 2048);
    CHECK(dirs[0].path == "/dev/huge pages/vireo/qemu/7-guest"); // the first mount
    CHECK(dirs[0].is_default);
    CHECK(dirs[1].size_kib == 1048576);
    CHECK(dirs[1].path.empty());
    CHECK_FALSE(dirs[1].is_default);
    CHECK(default_huge_page_kib(host.sysfs) == 2048);
    CHECK(default_huge_page_kib(Sysfs(host.tree.root() / "nothing")) == 0);
}

TEST_CASE("a guest for which there are enough huge pages, and one for which there are not") {
    Host host;
    CHECK(host.refusal(guest(160, "")) == "enough");
    CHECK(host.refusal(guest(160, "<page size='2' unit='MiB'/>")) == "enough");
    CHECK(host.refusal(guest(162, "")) ==
          "line 2: <memoryBacking>: 81 huge pages of 2048 KiB are wanted (NUMA cell 0) and 80 are "
          "free; make more (org.vireo.HostMemory1.AllocatePages, or nr_hugepages in "
          "/sys/kernel/mm/hugepages/hugepages-2048kB), or give the guest less memory");
    // What the kernel makes when it is asked counts, and what it made so does not.
    host.pool(2048, "nr_overcommit_hugepages", 5);
    CHECK(host.refusal(guest(170, "")) == "enough");
    host.pool(2048, "surplus_hugepages", 5);
    CHECK(contains(host.refusal(guest(170, "")), "85 huge pages"));
    CHECK(contains(host.refusal(guest(10, "<page size='1' unit='GiB'/>")), "1 huge pages of"));
    CHECK(contains(host.refusal(guest(10, "<page size='5' unit='MiB'/>")),
                   "the host has no huge pages of 5120 KiB, which NUMA cell 0 is to lie on; it has "
                   "those of 2048, 1048576 KiB"));
    CHECK(host.refusal(guest(4096, "<page size='4' unit='KiB'/>")) == "enough"); // ordinary ones
}

TEST_CASE("memory that must come from a node needs that node's huge pages") {
    const Host host;
    const auto tuned = [](const char* mode) {
        return guest(
            100, "", fmt::format("<numatune><memory mode='{}' nodeset='1'/></numatune>", mode));
    };
    CHECK(contains(host.refusal(tuned("strict")), "on the host's nodes 1 (NUMA cell 0) and 30"));
    CHECK(host.refusal(tuned("preferred")) == "enough");
    CHECK(contains(host.refusal(guest(100,
                                      "",
                                      "<numatune><memory mode='strict' nodeset='0'/><memnode "
                                      "cellid='0' mode='strict' nodeset='1'/></numatune>")),
                   "nodes 1"));
}

TEST_CASE("what takes memory at a start") {
    const Host host;
    DomainDef def = guest(64, "<page size='2' unit='MiB' nodeset='0'/>");
    MemoryDeviceDef dimm;
    dimm.size_kib = 2048;
    dimm.node = 0;
    dimm.info.alias = "dimm0";
    def.devices.memories.push_back(dimm);
    dimm.model = MemoryDeviceModel::virtio_mem;
    def.devices.memories.push_back(dimm);
    const auto pieces = start_memory(def, host.facts);
    REQUIRE(pieces.size() == 2);
    CHECK(pieces[0].what == "NUMA cell 0");
    CHECK(pieces[0].page_kib == 2048);
    CHECK(pieces[1].what == "memory device 'dimm0'");
    CHECK(pieces[1].page_kib == 2048);
}

TEST_CASE("QEMU's own memory comes from where the document says, or the host advises") {
    DomainDef def;
    CHECK_FALSE(memory_policy(def, std::nullopt));
    auto& memory = def.numatune.emplace().memory.emplace();
    memory.mode = NumaMode::interleave;
    memory.nodeset = "0-1,3";
    const auto policy = memory_policy(def, std::nullopt);
    REQUIRE(policy);
    CHECK(policy->mode == MemoryPolicy::Mode::interleave);
    CHECK(policy->nodes == std::vector<std::uint32_t>{0, 1, 3});
    CHECK_FALSE(needs_numa_advice(def));
    memory.placement = NumaPlacement::auto_;
    CHECK(needs_numa_advice(def));
    CHECK(memory_policy(def, "2")->nodes == std::vector<std::uint32_t>{2});
    memory.mode = NumaMode::restrictive;
    CHECK(memory_policy(def, "2")->mode == MemoryPolicy::Mode::bind);
}

TEST_CASE("folders for memory are there as long as they are needed, and what was in them goes") {
    const test::TemporaryFolder folder;
    LaunchFacts facts;
    facts.memory_backing_dir = folder.path() / "ram/7";
    facts.huge_pages.push_back({2048, folder.path() / "huge/vireo/qemu/7-guest", true});
    facts.huge_pages.push_back({1048576, "", false});
    DomainDef def;
    {
        const MemoryFolders none(def, facts);
        CHECK(std::filesystem::is_empty(folder.path()));
    }
    def.memory_backing.emplace().source = MemoryBackingSource::file;
    def.memory_backing->hugepages.emplace();
    std::filesystem::create_directories(facts.memory_backing_dir);
    std::ofstream(facts.memory_backing_dir + "/pc.ram") << "of a host that went down";
    {
        const MemoryFolders folders(def, facts);
        CHECK(std::filesystem::is_empty(facts.memory_backing_dir));
        CHECK(std::filesystem::exists(facts.huge_pages.front().path));
        std::ofstream(facts.memory_backing_dir + "/pc.ram") << "of this guest";
    }
    CHECK_FALSE(std::filesystem::exists(facts.memory_backing_dir));
    CHECK_FALSE(std::filesystem::exists(facts.huge_pages.front().path));
    CHECK(std::filesystem::exists(folder.path() / "huge/vireo/qemu"));
}
