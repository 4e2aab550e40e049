// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory devices of a definition: what is refused, what a guest has, how its memory is shared out.
#include "libshared/error.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "qemu-driver/model/validate.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <random>

using namespace vireo;
using namespace vireo::qemu;
using vireo::test::contains;

namespace {

constexpr std::uint64_t mib = 1024;

/// `<memory>` of virtio-mem: size, block and requested in KiB.
std::string virtio_mem(std::uint64_t size,
                       std::uint64_t block,
                       std::uint64_t requested,
                       const std::string& more = "<node>0</node>",
                       const std::string& source = {}) {
    return fmt::format("<memory model='virtio-mem'>{}<target><size>{}</size>{}<block>{}</block>"
                       "<requested>{}</requested></target></memory>",
                       source,
                       size,
                       more,
                       block,
                       requested);
}

const std::string max_memory = "<maxMemory slots='2' unit='GiB'>4</maxMemory>";
const std::string dimm =
    "<memory model='dimm'><target><size unit='MiB'>256</size><node>0</node></target></memory>";

DomainDef guest(const std::string& devices, const std::string& head = max_memory) {
    return parse_domain("<domain type='qemu'><name>g</name>\n" + head +
                        "<memory unit='GiB'>4</memory><os><type>hvm</type></os><cpu><numa>"
                        "<cell id='0' memory='1' unit='GiB'/><cell id='1' memory='1' unit='GiB'/>"
                        "</numa></cpu><devices>\n" +
                        devices + "</devices></domain>");
}

std::string refusal(DomainDef def, const HostFacts& facts = {}) {
    // As a new definition counts: two cells of 1 GiB and the devices.
    def.memory.total_kib = 2048 * mib;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        def.memory.total_kib += memory.size_kib;
    }
    try {
        validate_memory(def);
        validate_memory_devices(def, facts);
        validate_qemu_memory(def);
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::config_unsupported);
        return e.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("a virtio-mem device that works is accepted") {
    CHECK(refusal(guest(virtio_mem(512 * mib, 2 * mib, 128 * mib))) == "accepted");
    CHECK(refusal(guest(virtio_mem(512 * mib, 2 * mib, 0, "<node>1</node>") + dimm)) == "accepted");
}

TEST_CASE("sizes of virtio-mem that do not fit are refused with line, value and what to do") {
    CHECK(refusal(guest(virtio_mem(512 * mib, 2 * mib, 514 * mib))) ==
          "line 3: <requested>: 526336 KiB is more than <size>, 524288 KiB");
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, 2 * mib, 3 * mib))), "not a multiple"));
    CHECK(contains(refusal(guest(virtio_mem(511 * mib, 2 * mib, 0))), "not a multiple"));
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, 3 * mib, 0))), "not a power of two"));
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, 512, 0))), "not a power of two from 1024"));
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, mib, 0))),
                   "below a transparent huge page of the host; take 2048 KiB or more"));
    HostFacts larger;
    larger.huge_pmd_kib = 32 * mib;
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, 2 * mib, 0)), larger),
                   "below a transparent huge page of the host; take 32768 KiB or more"));
    const std::string giant = "<source><pagesize unit='GiB'>1</pagesize></source>";
    CHECK(contains(refusal(guest(virtio_mem(1024 * mib, 2 * mib, 0, "<node>0</node>", giant))),
                   "below a page of the memory behind it; take 1048576 KiB or more"));
}

TEST_CASE("a balloon gives and takes what virtio-mem has not plugged") {
    DomainDef live = guest(virtio_mem(512 * mib, 2 * mib, 128 * mib) + dimm);
    live.id = 1;
    live.memory.total_kib = (2048 + 512 + 256) * mib;
    live.devices.memories.front().current_kib = 128 * mib;
    CHECK(fixed_memory_kib(live) == 2304 * mib);
    CHECK(balloon_target_kib(live, 1128 * mib) == 1000 * mib);
    CHECK(balloon_target_kib(live, 2432 * mib) == 2304 * mib);
    const auto refused = [&](std::uint64_t kib) {
        try {
            balloon_target_kib(live, kib);
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::invalid_arg);
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    CHECK(contains(refused(127 * mib), "less than the guest has of its virtio-mem devices"));
    CHECK(contains(refused(2433 * mib), "without more of its virtio-mem devices, 2490368 KiB"));
    // What lasts in a file is no RAM that a balloon could take.
    live.devices.memories.back().model = MemoryDeviceModel::nvdimm;
    CHECK(fixed_memory_kib(live) == 2048 * mib);
    CHECK(balloon_target_kib(live, 2432 * mib) == 2048 * mib);
}

TEST_CASE("sizes of a guest that starts are those that QEMU takes") {
    DomainDef def = guest(virtio_mem(512 * mib, 2 * mib, 0) + dimm);
    def.cpu->cells.front().memory_kib = 1024 * mib + 1;
    def.devices.memories.back().size_kib = 256 * mib + 3;
    def.memory.total_kib = 2816 * mib + 4;
    def.memory.current_kib = def.memory.total_kib;
    align_memory(def);
    CHECK(def.cpu->cells.front().memory_kib == 1025 * mib);
    CHECK(def.devices.memories.back().size_kib == 258 * mib);
    CHECK(def.memory.total_kib == (1025 + 1024 + 512 + 258) * mib);
    CHECK(def.memory.current_kib == def.memory.total_kib);
    def = guest("", "");
    def.cpu.reset();
    def.memory.total_kib = 1000;
    def.memory.current_kib = 500;
    align_memory(def);
    CHECK(def.memory.total_kib == mib);
    CHECK(def.memory.current_kib == 500);
}

TEST_CASE("the guest must have the node, the room and the slots") {
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, 2 * mib, 0, "<node>2</node>"))),
                   "target/node is 2, but the guest has 2 NUMA nodes"));
    CHECK(
        contains(refusal(guest(virtio_mem(512 * mib, 2 * mib, 0, ""))), "target/node is missing"));
    CHECK(contains(refusal(guest(virtio_mem(512 * mib, 2 * mib, 0), "\n")), "needs <maxMemory"));
    const std::string full = refusal(guest(virtio_mem(2048 * mib, 2 * mib, 0) + "\n" + dimm));
    CHECK(full == "line 4: <memory>: with this one, memory devices are 2359296 KiB; <maxMemory> of "
                  "4194304 KiB leaves room for 2097152 KiB beside the 2097152 KiB that the guest "
                  "starts with, so raise it");
    CHECK(contains(refusal(guest(dimm + dimm + dimm)), "all 2 memory slots are taken"));
    // virtio-mem takes none.
    CHECK(refusal(guest(dimm + dimm + virtio_mem(512 * mib, 2 * mib, 0))) == "accepted");
}

TEST_CASE("virtio-mem beside what pins all memory is refused, naming both and the ways out") {
    const std::string memory = virtio_mem(512 * mib, 2 * mib, 0);
    // libvirt accepts this one; it is refused before a start.
    CHECK(
        refusal(guest(memory + "\n<disk type='nvme' device='disk'><source type='pci' namespace='1'>"
                               "<address domain='0' bus='1' slot='0' function='0'/></source>"
                               "<target dev='vda' bus='virtio'/></disk>")) == "accepted");
    CHECK(
        refusal(guest(memory + "\n<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/>"
                               "</interface>")) ==
        "line 3: <memory>: model='virtio-mem' cannot be beside <interface type='vdpa'> of line 4: "
        "that pins all of the guest's memory, and virtio-mem gives back what is not plugged; give "
        "the guest a network interface of another type, or take model='dimm'");
    CHECK(contains(refusal(guest(memory, max_memory + "<memoryBacking><locked/></memoryBacking>")),
                   "beside <memoryBacking><locked> of line 2: "));
    CHECK(refusal(guest(dimm, max_memory + "<memoryBacking><locked/></memoryBacking>")) ==
          "accepted");
}

TEST_CASE("a single device is read without what only a running guest says") {
    const Device device = parse_device(
        "<memory model='virtio-mem'><target><size>4096</size><node>0</node><block>2048</block>"
        "<requested>2048</requested><current>2048</current></target></memory>");
    CHECK_FALSE(std::get<MemoryDeviceDef>(device).current_kib.has_value());
    CHECK_THROWS_WITH_AS(parse_device("\n<hub type='usb'/>"),
                         "line 2: <hub> is not a device that can be attached, detached or changed",
                         Error);
}

TEST_CASE("a device is found by alias, by address, or by what it is when it is the only one") {
    DomainDef def = guest(virtio_mem(512 * mib, 2 * mib, 0) +
                          virtio_mem(512 * mib, 2 * mib, 0, "<node>1</node>") + dimm);
    def.id = 1;
    auto& memories = def.devices.memories;
    memories[0].info.alias = "virtiomem0";
    memories[1].info.alias = "virtiomem1";
    memories[1].info.address =
        PciAddress{.domain = 0, .bus = 3, .slot = 0, .function = 0, .multifunction = {}};
    MemoryDeviceDef wanted = memories[1];
    CHECK(find_memory_device(def, wanted) == 1);
    wanted.info.alias.reset();
    CHECK(find_memory_device(def, wanted) == 1);
    wanted.info.address = {};
    CHECK(find_memory_device(def, wanted) == 1); // the only one of node 1
    wanted.node.reset();
    CHECK_THROWS_WITH_AS(find_memory_device(def, wanted),
                         "2 memory devices of the running guest fit: say which by its <alias> or "
                         "<address>",
                         Error);
    wanted.info.alias = "virtiomem7";
    CHECK_THROWS_WITH_AS(find_memory_device(def, wanted),
                         "the running guest has no memory device with alias 'virtiomem7'",
                         Error);
}

TEST_CASE("only the requested size of virtio-mem can be changed") {
    const DomainDef def = guest(virtio_mem(512 * mib, 2 * mib, 0) + dimm);
    const MemoryDeviceDef& known = def.devices.memories[0];
    MemoryDeviceDef wanted = known;
    wanted.requested_kib = 4 * mib;
    require_same_but_requested(known, wanted);
    wanted.size_kib = 1024 * mib;
    CHECK_THROWS_AS(require_same_but_requested(known, wanted), Error);
    CHECK_THROWS_AS(require_same_but_requested(def.devices.memories[1], def.devices.memories[1]),
                    Error);
    CHECK_THROWS_AS(require_requestable(known, 3 * mib), Error);
    CHECK_THROWS_AS(require_requestable(known, 514 * mib), Error);
    require_requestable(known, 512 * mib);
}

TEST_CASE("memory is shared out in whole blocks, evenly over nodes as far as sizes allow") {
    std::vector<MemoryShare> shares{
        {0, 512 * mib, 2 * mib, 0}, {0, 512 * mib, 2 * mib, 0}, {1, 512 * mib, 2 * mib, 0}};
    share_memory(shares, 512 * mib);
    CHECK(shares[0].requested_kib == 128 * mib);
    CHECK(shares[1].requested_kib == 128 * mib);
    CHECK(shares[2].requested_kib == 256 * mib);
    share_memory(shares, 1400 * mib); // node 1 cannot take its half
    CHECK(shares[2].requested_kib == 512 * mib);
    CHECK(shares[0].requested_kib == 444 * mib);
    CHECK(shares[1].requested_kib == 444 * mib);
    share_memory(shares, 7 * mib); // three blocks and a rest
    CHECK(shares[0].requested_kib + shares[1].requested_kib + shares[2].requested_kib == 6 * mib);
}

TEST_CASE("sharing out never exceeds the amount, and misses it by less than a block") {
    std::minstd_rand random(7);
    for (int round = 0; round < 2000; ++round) {
        std::vector<MemoryShare> shares(1 + random() % 5);
        std::uint64_t room = 0;
        std::uint64_t largest = 0;
        for (MemoryShare& share : shares) {
            share.node = random() % 3;
            share.block_kib = 2 * mib << (random() % 6);
            share.size_kib = share.block_kib * (1 + random() % 100);
            room += share.size_kib;
            largest = std::max(largest, share.block_kib);
        }
        const std::uint64_t amount = random() % (room + 4 * largest);
        share_memory(shares, amount);
        std::uint64_t sum = 0;
        for (const MemoryShare& share : shares) {
            REQUIRE(share.requested_kib <= share.size_kib);
            REQUIRE(share.requested_kib % share.block_kib == 0);
            sum += share.requested_kib;
        }
        REQUIRE(sum <= amount);
        REQUIRE(sum + largest > std::min(amount, room));
    }
}
