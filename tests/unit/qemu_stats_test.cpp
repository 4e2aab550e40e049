// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/stats_record.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

using namespace vireo::qemu;
using namespace vireo::qemu::actions;
using nlohmann::json;

namespace fs = std::filesystem;

namespace {

/// A folder that stands for /, gone at the end.
class Root {
  public:
    Root() {
        std::string name = (fs::temp_directory_path() / "vireo-stats-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }

    Root(const Root&) = delete;
    Root& operator=(const Root&) = delete;

    ~Root() { fs::remove_all(path_); }

    void write(const std::string& file, const std::string& text) const {
        fs::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text;
    }

    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

template <class T>
std::optional<T> value(const StatsRecord& record, const std::string& name) {
    for (const auto& [field, held] : record) {
        if (field == name) {
            return std::get<T>(held);
        }
    }
    return std::nullopt;
}

constexpr auto text = &value<std::string>;
constexpr auto number = &value<std::uint64_t>;
constexpr auto count = &value<std::uint32_t>;

DomainDef sample() {
    DomainDef def;
    def.memory.total_kib = 4096;
    def.memory.current_kib = 2048;
    def.vcpus.maximum = 4;
    def.vcpus.current = 2;
    DiskDef disk;
    disk.target.dev = "vda";
    disk.image.source = FileSource{"/images/web.qcow2", {}};
    DiskImage base;
    base.source = FileSource{"/images/base.raw", {}};
    disk.image.backing = base;
    def.devices.disks.push_back(disk);
    DiskDef cdrom;
    cdrom.target.dev = "sda";
    cdrom.image.source = FileSource{};
    def.devices.disks.push_back(cdrom);
    def.devices.interfaces.resize(2);
    def.devices.interfaces[1].target_dev = "vnet3";
    return def;
}

/// With the numbers that a guest's images and devices get when it starts.
DomainDef live_sample() {
    DomainDef def = sample();
    def.devices.disks[0].info.alias = "virtio-disk0";
    def.devices.disks[0].image.index = 2;
    def.devices.disks[0].image.backing->index = 3;
    def.devices.disks[1].info.alias = "sata0-0-0";
    def.devices.disks[1].image.index = 1;
    return def;
}

} // namespace

TEST_CASE("a stopped domain's record has what its definition says") {
    const DomainDef def = sample();
    StatsRecord record;
    add_state(record, reason::destroyed);
    add_balloon(record, summary_of(def), nullptr);
    add_vcpus(record, summary_of(def), nullptr);
    add_stopped_blocks(record, summary_of(def), false);
    const StatsRecord expected{{"state.state", std::int32_t{5}},
                               {"state.reason", std::int32_t{2}},
                               {"balloon.current", std::uint64_t{2048}},
                               {"balloon.maximum", std::uint64_t{4096}},
                               {"vcpu.current", std::uint32_t{2}},
                               {"vcpu.maximum", std::uint32_t{4}},
                               {"block.count", std::uint32_t{2}},
                               {"block.0.name", std::string("vda")},
                               {"block.0.path", std::string("/images/web.qcow2")},
                               {"block.1.name", std::string("sda")}};
    CHECK(record == expected);
}

TEST_CASE("backing images have records of their own where they are asked for") {
    StatsRecord record;
    add_stopped_blocks(record, summary_of(sample()), true);
    CHECK(count(record, "block.count") == 3);
    CHECK(text(record, "block.1.name") == "vda");
    CHECK(text(record, "block.1.path") == "/images/base.raw");
    CHECK(text(record, "block.2.name") == "sda");
}

TEST_CASE("a running guest's processor time is its process's and its threads'") {
    const Root root;
    const std::string fields = " S 1 1 1 0 -1 0 1 2 3 4 ";
    root.write("proc/42/stat", "42 (qemu (x) y)" + fields + "300 100 0 0 20 0");
    root.write("proc/42/task/43/stat", "43 (CPU 0/KVM)" + fields + "200 50 0 0 20 0");
    RunningGuest running;
    running.pid = 42;
    running.root = root.path();
    running.answers.cpus = json::parse(R"([{"cpu-index":0,"thread-id":43},
                                           {"cpu-index":1,"thread-id":44}])");
    StatsRecord record;
    add_cpu_total(record, running);
    add_vcpus(record, summary_of(sample()), &running);
    const std::uint64_t user = number(record, "cpu.user").value_or(0);
    CHECK(user > 0);
    CHECK(number(record, "cpu.system") == user / 3);
    CHECK(number(record, "cpu.time") == user / 3 * 4);
    CHECK(number(record, "vcpu.0.time") == user / 6 * 5);
    CHECK(value<std::int32_t>(record, "vcpu.1.state") == 1);
    CHECK(!number(record, "vcpu.1.time")); // a thread that has ended
}

TEST_CASE("what the host's side of an interface sent is what the guest received") {
    const Root root;
    root.write("sys/class/net/vnet3/statistics/tx_bytes", "700\n");
    root.write("sys/class/net/vnet3/statistics/rx_packets", "5\n");
    RunningGuest running;
    running.root = root.path();
    StatsRecord record;
    add_interfaces(record, sample(), running);
    CHECK(count(record, "net.count") == 2);
    CHECK(!text(record, "net.0.name"));
    CHECK(text(record, "net.1.name") == "vnet3");
    CHECK(number(record, "net.1.rx.bytes") == 700);
    CHECK(number(record, "net.1.tx.pkts") == 5);
    CHECK(!number(record, "net.1.tx.bytes"));
}

TEST_CASE("a running guest's disks have what QEMU says of them") {
    RunningGuest running;
    running.answers.blockstats = json::parse(R"([
        {"qdev":"/machine/peripheral/virtio-disk0/virtio-backend",
         "stats":{"rd_operations":7,"rd_bytes":4096,"rd_total_time_ns":11,"wr_operations":1,
                  "wr_bytes":512,"wr_total_time_ns":12,"flush_operations":2,
                  "flush_total_time_ns":13,"wr_highest_offset":1},
         "parent":{"stats":{"wr_highest_offset":65536}}}])");
    running.answers.nodes = json::parse(R"([
        {"node-name":"libvirt-2-format","image":{"virtual-size":1048576}},
        {"node-name":"libvirt-2-storage","image":{"virtual-size":196624,"actual-size":4096}}])");
    StatsRecord record;
    add_blocks(record, live_sample(), running, false);
    CHECK(count(record, "block.0.backingIndex") == 2);
    CHECK(number(record, "block.0.rd.bytes") == 4096);
    CHECK(number(record, "block.0.fl.times") == 13);
    CHECK(number(record, "block.0.allocation") == 65536);
    CHECK(number(record, "block.0.capacity") == 1048576);
    CHECK(number(record, "block.0.physical") == 4096);
    CHECK(text(record, "block.1.name") == "sda");
    CHECK(!number(record, "block.1.rd.bytes"));
}

TEST_CASE("a guest that did not answer has what is known without it") {
    const RunningGuest running;
    StatsRecord record;
    add_vcpus(record, summary_of(sample()), &running);
    add_blocks(record, live_sample(), running, true);
    CHECK(count(record, "vcpu.current") == 2);
    CHECK(count(record, "block.count") == 3);
    CHECK(count(record, "block.1.backingIndex") == 3);
}

TEST_CASE("what the guest told its balloon, and what its process holds") {
    const Root root;
    root.write("proc/42/statm", "1000 50 20 1 0 300 0\n");
    RunningGuest running;
    running.pid = 42;
    running.root = root.path();
    running.answers.balloon = json::parse(R"({"last-update":1700000000,"stats":{
        "stat-free-memory":2097152,"stat-major-faults":3,
        "stat-swap-in":18446744073709551615}})");
    StatsRecord record;
    add_balloon(record, summary_of(sample()), &running);
    CHECK(number(record, "balloon.unused") == 2048);
    CHECK(number(record, "balloon.major_fault") == 3);
    CHECK(!number(record, "balloon.swap_in")); // not told
    CHECK(number(record, "balloon.last-update") == 1700000000);
    CHECK(number(record, "balloon.rss") == 200);
}

TEST_CASE("I/O threads of the definition, and the dirty rate") {
    RunningGuest running;
    running.answers.iothreads = json::parse(R"([
        {"id":"iothread3","thread-id":7,"poll-max-ns":32768,"poll-grow":2,"poll-shrink":1},
        {"id":"mine","thread-id":8,"poll-max-ns":1,"poll-grow":0,"poll-shrink":0}])");
    running.answers.dirty_rate =
        json::parse(R"({"status":"measured","start-time":5,"calc-time":1,"dirty-rate":42})");
    StatsRecord record;
    add_iothreads(record, running);
    add_dirty_rate(record, running);
    const StatsRecord expected{{"iothread.count", std::uint32_t{1}},
                               {"iothread.3.poll-max-ns", std::uint64_t{32768}},
                               {"iothread.3.poll-grow", std::uint32_t{2}},
                               {"iothread.3.poll-shrink", std::uint32_t{1}},
                               {"dirtyrate.calc_status", std::int32_t{2}},
                               {"dirtyrate.calc_start_time", std::int64_t{5}},
                               {"dirtyrate.calc_period", std::int32_t{1}},
                               {"dirtyrate.calc_mode", std::string("page-sampling")},
                               {"dirtyrate.megabytes_per_second", std::int64_t{42}}};
    CHECK(record == expected);
}
