// SPDX-License-Identifier: LGPL-2.1-or-later
// What a running guest was promised of the host's memory, cell by cell.
#include "qemu-driver/devices/memlock.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_promises.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace vireo;
using namespace vireo::qemu;

namespace {

constexpr std::uint64_t promise_mib = 1 << 20;

/// Two cells of 1 GiB, and devices.
DomainDef running_guest(const std::string& tuning,
                        const std::string& devices = {},
                        std::uint64_t total_mib = 2048,
                        const std::string& backing = {}) {
    DomainDef def = parse_domain(fmt::format(
        "<domain type='qemu'><name>g</name><maxMemory slots='4' unit='GiB'>8</maxMemory>"
        "<memory unit='MiB'>{}</memory>{}{}<os><type>hvm</type></os><cpu><numa>"
        "<cell id='0' memory='1' unit='GiB'/><cell id='1' memory='1' unit='GiB'/></numa></cpu>"
        "<devices>{}</devices></domain>",
        total_mib,
        backing,
        tuning,
        devices));
    def.memory.current_kib = def.memory.total_kib;
    return def;
}

using Rows = std::vector<MemoryPromise>;

MemoryPromise row(std::int32_t cell,
                  std::uint64_t size,
                  std::uint64_t requested,
                  std::uint64_t current,
                  std::uint64_t balloon = 0,
                  std::uint64_t locked = 0) {
    return {cell,
            size * promise_mib,
            requested * promise_mib,
            current * promise_mib,
            balloon * promise_mib,
            locked * promise_mib};
}

std::string virtio_mem_of(const std::string& source, unsigned node) {
    return fmt::format("<memory model='virtio-mem'>{}<target><size unit='MiB'>512</size>"
                       "<node>{}</node><block unit='MiB'>2</block>"
                       "<requested unit='MiB'>256</requested></target></memory>",
                       source,
                       node);
}

} // namespace

TEST_CASE("memory that nobody placed is anywhere") {
    CHECK(memory_promises(running_guest(""), std::nullopt, false) ==
          Rows{row(any_cell, 2048, 2048, 2048)});
}

TEST_CASE("each guest cell counts in the host cell that it is bound to") {
    const std::string tuning = "<numatune><memnode cellid='0' mode='strict' nodeset='1'/>"
                               "<memnode cellid='1' mode='preferred' nodeset='0'/></numatune>";
    CHECK(memory_promises(running_guest(tuning), std::nullopt, false) ==
          Rows{row(0, 1024, 1024, 1024), row(1, 1024, 1024, 1024)});
    // A choice of several is none, unless it is taken in turn.
    CHECK(
        memory_promises(running_guest("<numatune><memory mode='strict' nodeset='0-1'/></numatune>"),
                        std::nullopt,
                        false) == Rows{row(any_cell, 2048, 2048, 2048)});
    CHECK(memory_promises(
              running_guest("<numatune><memory mode='interleave' nodeset='0,2-3'/></numatune>"),
              std::nullopt,
              false)[0]
              .cell == 0);
    const Rows interleaved = memory_promises(
        running_guest("<numatune><memory mode='interleave' nodeset='0,2'/></numatune>"),
        std::nullopt,
        false);
    CHECK(interleaved == Rows{row(0, 1024, 1024, 1024), row(2, 1024, 1024, 1024)});
}

TEST_CASE("virtio-mem counts by what is requested and plugged, a DIMM as a whole") {
    DomainDef def = running_guest(
        "<numatune><memory mode='strict' nodeset='0'/></numatune>",
        virtio_mem_of("", 0) + virtio_mem_of("<source><nodemask>1</nodemask></source>", 1) +
            "<memory model='dimm'><target><size unit='MiB'>128</size><node>1</node></target>"
            "</memory>",
        2048 + 1024 + 128);
    def.devices.memories[0].current_kib = 100 * 1024;
    def.devices.memories[1].current_kib = 256 * 1024;
    def.memory.current_kib = (2048 + 128 + 100 + 256) * 1024;
    CHECK(
        memory_promises(def, std::nullopt, false) ==
        Rows{row(0, 2048 + 512 + 128, 2048 + 256 + 128, 2048 + 100 + 128), row(1, 512, 256, 256)});
}

TEST_CASE("what the balloon holds back is taken off each cell's part of it") {
    DomainDef def = running_guest("<numatune><memnode cellid='0' mode='strict' nodeset='0'/>"
                                  "<memnode cellid='1' mode='strict' nodeset='1'/></numatune>",
                                  virtio_mem_of("<source><nodemask>1</nodemask></source>", 1),
                                  2560);
    def.devices.memories[0].current_kib = 64 * 1024;
    def.memory.current_kib = (1536 + 64) * 1024; // of 2 GiB the balloon holds 512 MiB
    CHECK(memory_promises(def, 1024 * 1024, false) ==
          Rows{row(0, 1024, 512, 768, 256), row(1, 1024 + 512, 512 + 256, 768 + 64, 256)});
    CHECK(memory_promises(def, std::nullopt, false) ==
          Rows{row(0, 1024, 768, 768, 256), row(1, 1024 + 512, 768 + 256, 768 + 64, 256)});
}

TEST_CASE("pinned memory stays locked under a balloon") {
    DomainDef def = running_guest("");
    def.memory.current_kib = 1536 * 1024;
    CHECK(memory_promises(def, std::nullopt, true) ==
          Rows{row(any_cell, 2048, 1536, 1536, 512, 2048)});
    CHECK_FALSE(pins_memory(def));
    CHECK(pins_memory(running_guest("", "", 2048, "<memoryBacking><locked/></memoryBacking>")));
    CHECK(pins_memory(running_guest(
        "",
        "<hostdev mode='subsystem' type='pci'><source><address domain='0x0' bus='0x6' slot='0x0' "
        "function='0x0'/></source><address type='pci'/></hostdev>")));
}
