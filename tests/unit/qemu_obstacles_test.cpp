// SPDX-License-Identifier: LGPL-2.1-or-later
// What stands between a guest and the host's devices: each reason, and what to do.
#include "qemu-driver/devices/obstacles.hpp"
#include "tests/support/model_bench.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;
using vireo::testing::completed;
using vireo::testing::guest;

namespace {

std::string
nvme(const std::string& dev, unsigned bus, unsigned space, const std::string& managed = "yes") {
    return fmt::format("<disk type='nvme' device='disk'><driver name='qemu' type='raw'/>"
                       "<source type='pci' managed='{}' namespace='{}'><address domain='0x0000' "
                       "bus='{:#04x}' slot='0x00' function='0x0'/></source>"
                       "<target dev='{}' bus='virtio'/></disk>\n",
                       managed,
                       space,
                       bus,
                       dev);
}

std::string hostdev(unsigned bus) {
    return fmt::format("<hostdev mode='subsystem' type='pci' managed='yes'><source><address "
                       "domain='0' bus='{}' slot='0' function='0'/></source></hostdev>\n",
                       bus);
}

const std::string vast = "<maxMemory slots='1' unit='GiB'>512</maxMemory><cpu><numa>"
                         "<cell id='0' cpus='0' memory='1' unit='GiB'/></numa></cpu>";

FunctionFacts drive(const std::string& address, const std::string& group) {
    FunctionFacts facts;
    facts.present = true;
    facts.is_nvme = true;
    facts.driver = "nvme";
    facts.group = group;
    facts.members = {{address, "nvme", true, {}}};
    facts.namespaces = std::vector<NamespaceFacts>{{1, 512, 0}, {3, 4096, std::nullopt}};
    return facts;
}

/// One guest and what is found about it, on a host with two drives on buses 1 and 2.
struct Bench {
    FactsByAddress facts{{"0000:01:00.0", drive("0000:01:00.0", "7")},
                         {"0000:02:00.0", drive("0000:02:00.0", "8")}};
    LockLimits limits{0, true};
    std::vector<OtherGuest> others;

    FunctionFacts& first() { return facts.at("0000:01:00.0"); }

    std::vector<Obstacle> find(const std::string& devices, const std::string& more = "") const {
        const DomainDef def = completed(guest(devices, more));
        return host_obstacles(def, host_functions(def), facts, limits, others);
    }

    /// The text of the only one, after its kind.
    std::string only(const std::string& devices, const std::string& more = "") const {
        const std::vector<Obstacle> found = find(devices, more);
        if (found.size() != 1) {
            return fmt::format("{} obstacles", found.size());
        }
        CHECK_FALSE(found.front().ways_out.empty());
        return found.front().check + ": " + to_error(found).what();
    }
};

bool begins(const std::string& text, const std::string& with) {
    const bool does = text.starts_with(with);
    CHECK_MESSAGE(does, text);
    return does;
}

} // namespace

TEST_CASE("nothing stands in the way of a free drive, alone in its group") {
    const Bench bench;
    CHECK(bench.find(nvme("vda", 1, 1)).empty());
    CHECK(bench.find(nvme("vda", 1, 1) + nvme("vdb", 2, 3)).empty());
    CHECK(bench.find(hostdev(1)).empty());
    CHECK(bench.find("").empty());
}

TEST_CASE("several namespaces of one controller are refused with the reason and the ways out") {
    const Bench bench;
    const auto found = bench.find(nvme("vda", 1, 1) + nvme("vdb", 1, 3));
    REQUIRE(found.size() == 1);
    CHECK(found[0].check == "namespaces");
    CHECK(found[0].code == ErrorCode::config_unsupported);
    CHECK(found[0].element == "disk 'vdb'");
    CHECK(found[0].line == 6);
    CHECK(found[0].cause ==
          "namespace 3 is on controller 0000:01:00.0, of which disk 'vda' has namespace 1: QEMU's "
          "NVMe driver opens the controller's VFIO group anew for each disk, and the kernel allows "
          "one open");
    REQUIRE(found[0].ways_out.size() == 2);
    CHECK(found[0].ways_out[0].find("<disk type='block'>") != std::string::npos);
    CHECK(found[0].ways_out[1].find("<hostdev") != std::string::npos);
    // The document alone says it: no host is asked.
    CHECK(document_obstacles(completed(guest(nvme("vda", 1, 1) + nvme("vdb", 1, 3)))).size() == 1);
    CHECK(begins(bench.only(nvme("vda", 1, 1) + hostdev(1)),
                 "namespaces: line 6: hostdev: controller 0000:01:00.0 is both"));
}

TEST_CASE("two controllers of one group are refused, unless both are the guest's PCI devices") {
    Bench bench;
    for (auto& [address, facts] : bench.facts) {
        facts.group = "7";
        facts.members = {{"0000:01:00.0", "nvme", true, {}}, {"0000:02:00.0", "nvme", true, {}}};
    }
    CHECK(begins(bench.only(nvme("vda", 1, 1) + nvme("vdb", 2, 1)),
                 "shared-group: line 6: disk 'vdb': 0000:02:00.0 is in IOMMU group 7, and so is "
                 "0000:01:00.0 of disk 'vda'"));
    CHECK(begins(bench.only(nvme("vda", 1, 1) + hostdev(2)), "shared-group: line 6: hostdev: "));
    CHECK(bench.find(hostdev(1) + hostdev(2)).empty());
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "group-not-viable: line 5: disk 'vda': 0000:01:00.0 cannot be given to a guest "
                 "while others of its group are with the host: IOMMU group 7: 0000:01:00.0 (nvme), "
                 "0000:02:00.0 (nvme)"));
}

TEST_CASE("the guest's memory must be within the driver's reach, pinned, and not virtio-mem") {
    Bench bench;
    CHECK(begins(bench.only(nvme("vda", 1, 1), vast),
                 "guest-memory: line 5: disk 'vda': the guest may have 536870912 KiB of memory "
                 "(<maxMemory>), and QEMU's NVMe driver can reach less than 536870912 KiB (512 "
                 "GiB); give the guest less memory"));
    CHECK(bench.find(hostdev(1), vast).empty());
    const std::string elastic =
        "<maxMemory slots='1' unit='GiB'>4</maxMemory><cpu><numa><cell id='0' cpus='0-3' "
        "memory='1' unit='GiB'/></numa></cpu>\n";
    const std::string memory =
        "<memory model='virtio-mem'><target><size unit='MiB'>512</size><node>0</node><block "
        "unit='MiB'>2</block><requested>0</requested></target></memory>\n";
    CHECK(begins(bench.only(nvme("vda", 1, 1) + memory, elastic),
                 "virtio-mem: line 6: disk 'vda': QEMU's NVMe driver pins all of the guest's "
                 "memory, and the virtio-mem device of line 7 gives back what is not plugged"));
    CHECK(bench.find(hostdev(1) + memory, elastic).empty());
    // 1 GiB of memory and 1 GiB for what devices have.
    bench.limits = {(std::uint64_t{2} << 30) - 1, false};
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "locked-memory: line 5: disk 'vda': the guest must be allowed to lock 2147483648 "
                 "bytes of memory, and this daemon may allow 2147483647; raise LimitMEMLOCK="));
    bench.limits.hard_bytes = std::uint64_t{2} << 30;
    CHECK(bench.find(nvme("vda", 1, 1)).empty());
    CHECK(begins(
        bench.only(nvme("vda", 1, 1), "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune>"),
        "locked-memory: line 5: disk 'vda': <hard_limit> lets the guest lock 536870912 "
        "bytes, and its device must reach all of its memory, 1073741824 bytes"));
}

TEST_CASE("the device must be there, be NVMe, and be behind an IOMMU") {
    Bench bench;
    bench.first().is_nvme = false;
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "not-nvme: line 5: disk 'vda': PCI device 0000:01:00.0 is no NVMe controller; "));
    CHECK(bench.find(hostdev(1)).empty());
    bench.first() = drive("0000:01:00.0", "");
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "no-iommu: line 5: disk 'vda': 0000:01:00.0 is in no IOMMU group: the host's "
                 "IOMMU is off; switch it on"));
    bench.first() = FunctionFacts{};
    const auto found = bench.find(nvme("vda", 1, 1));
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == ErrorCode::no_node_device);
    CHECK(found[0].cause == "the host has no PCI device 0000:01:00.0");
}

TEST_CASE("the namespace must be there, with a format that QEMU can") {
    Bench bench;
    CHECK(begins(bench.only(nvme("vda", 1, 2)),
                 "no-namespace: line 5: disk 'vda': controller 0000:01:00.0 has no namespace 2, "
                 "it has 1, 3; name one of these, or make one"));
    bench.first().namespaces->front().metadata_bytes = 8;
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "namespace-format: line 5: disk 'vda': namespace 1 of 0000:01:00.0 has 8 bytes "
                 "of metadata beside each block"));
    bench.first().namespaces->front() = {1, 8192, 0};
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "namespace-format: line 5: disk 'vda': namespace 1 of 0000:01:00.0 has blocks of "
                 "8192 bytes, QEMU's NVMe driver takes at most 4096"));
    bench.first().namespaces = std::vector<NamespaceFacts>{};
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "no-namespace: line 5: disk 'vda': controller 0000:01:00.0 has no namespace 1, "
                 "it has none"));
    // With another driver than the kernel's nvme nobody knows before QEMU opens it.
    bench.first().namespaces.reset();
    CHECK(bench.find(nvme("vda", 1, 9)).empty());
}

TEST_CASE("what the host or another guest uses is refused by name") {
    Bench bench;
    bench.first().uses = {"mount '/srv' (/dev/nvme0n1)", "swap 'swap' (/dev/nvme0n3)"};
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "in-use-by-host: line 5: disk 'vda': 0000:01:00.0 is in use by the host: mount "
                 "'/srv' (/dev/nvme0n1), swap 'swap' (/dev/nvme0n3); "));
    bench.first().uses.clear();
    bench.first().driver = "vfio-pci";
    bench.first().leased = true;
    bench.first().holder = "domain/2";
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "in-use-by-guest: line 5: disk 'vda': 0000:01:00.0 is in use by 'domain/2'; "));
    bench.others = {{"db", "domain/2", {}}};
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "in-use-by-guest: line 5: disk 'vda': 0000:01:00.0 is in use by guest 'db'; "));
    // Its own lease, from a moment ago, is not in its way.
    bench.first().holder = "domain/00000000-0000-4000-8000-000000000000";
    CHECK(bench.find(nvme("vda", 1, 1)).empty());
    // Another function of the group is a guest's.
    bench.first().leased = false;
    bench.first().holder.clear();
    bench.first().members.push_back({"0000:01:00.1", "vfio-pci", false, "domain/2"});
    CHECK(begins(bench.only(nvme("vda", 1, 1)),
                 "in-use-by-guest: line 5: disk 'vda': 0000:01:00.1 of IOMMU group 7, in which "
                 "0000:01:00.0 is too, is in use by guest 'db'"));
}

TEST_CASE("managed='no' means that somebody has bound it to vfio-pci, and no guest has it") {
    Bench bench;
    const std::string disk = nvme("vda", 1, 1, "no");
    CHECK(begins(bench.only(disk),
                 "not-bound: line 5: disk 'vda': managed='no' and 0000:01:00.0 is with driver "
                 "'nvme', not with vfio-pci; say managed='yes'"));
    bench.first().driver = "vfio-pci";
    bench.first().namespaces.reset();
    CHECK(bench.find(disk).empty());
    bench.first().leased = true; // by Detach of an administrator
    CHECK(bench.find(disk).empty());
    CHECK(begins(bench.only(nvme("vda", 1, 1)), "detached: line 5: disk 'vda': "));
    const DomainDef other = completed(guest(disk));
    bench.others = {{"db", "domain/2", host_functions(other)}};
    CHECK(begins(bench.only(disk),
                 "in-use-by-guest: line 5: disk 'vda': 0000:01:00.0 is in use by guest 'db' (disk "
                 "'vda')"));
}

TEST_CASE("an error says the first reason, and how many there are") {
    Bench bench;
    bench.first().uses = {"mount '/srv' (/dev/nvme0n1)"};
    const auto found = bench.find(nvme("vda", 1, 7));
    REQUIRE(found.size() == 2);
    const Error error = to_error(found);
    CHECK(error.code() == ErrorCode::resource_busy);
    CHECK(
        std::string(error.what()).ends_with("; 1 more: org.vireo.Connect1.CheckDomain lists them"));
}
