// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "nodedev-driver/probe/nvme_health.hpp"
#include "tests/support/host_tree.hpp"

#include <doctest/doctest.h>

using namespace vireo::nodedev;
using vireo::Error;
using vireo::Sysfs;
using vireo::test::HostTree;

namespace {

void put(HealthPage& page, size_t offset, size_t size, uint64_t value) {
    for (size_t i = 0; i < size && i < sizeof value; ++i) {
        page.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
    }
}

} // namespace

TEST_CASE("a drive that is well says so, field by field") {
    HealthPage page{};
    put(page, 1, 2, 311); // 38 degrees Celsius
    put(page, 3, 1, 100);
    put(page, 4, 1, 10);
    put(page, 5, 1, 3);
    put(page, 32, 16, 2'000'001);
    put(page, 48, 16, 1);
    put(page, 64, 16, 64);
    put(page, 80, 16, 80);
    put(page, 96, 16, 96);
    put(page, 112, 16, 112);
    put(page, 128, 16, 128);
    put(page, 144, 16, 144);
    put(page, 160, 16, 160);
    put(page, 176, 16, 176);
    put(page, 192, 4, 192);
    put(page, 196, 4, 196);
    put(page, 200, 2, 312);
    put(page, 204, 2, 320); // the second sensor is not there
    CHECK(parse_health(page) == NvmeHealth{.warnings = {},
                                           .temperature_kelvin = 311,
                                           .available_spare_percent = 100,
                                           .spare_threshold_percent = 10,
                                           .used_percent = 3,
                                           .bytes_read = 1'024'000'512'000,
                                           .bytes_written = 512'000,
                                           .host_reads = 64,
                                           .host_writes = 80,
                                           .busy_minutes = 96,
                                           .power_cycles = 112,
                                           .power_on_hours = 128,
                                           .unsafe_shutdowns = 144,
                                           .media_errors = 160,
                                           .error_log_entries = 176,
                                           .warm_minutes = 192,
                                           .hot_minutes = 196,
                                           .sensors_kelvin = {312, 0, 320}});
}

TEST_CASE("each critical warning has its word, and reserved bits have none") {
    HealthPage page{};
    CHECK(parse_health(page).warnings.empty());
    put(page, 0, 1, 0xff);
    std::vector<std::string> words;
    for (const HealthWarning warning : parse_health(page).warnings) {
        words.emplace_back(vireo::xml::name_of(warning));
    }
    CHECK(words == std::vector<std::string>{"spare-below-threshold",
                                            "temperature",
                                            "reliability-degraded",
                                            "read-only",
                                            "volatile-memory-backup-failed",
                                            "persistent-memory-unreliable"});
    put(page, 0, 1, 1U << 3);
    CHECK(parse_health(page).warnings == std::vector{HealthWarning::read_only});
}

TEST_CASE("counters that are too big for 64 bits stand at the largest number") {
    HealthPage page{};
    page.at(64 + 8) = std::byte{1}; // 2^64 reads
    CHECK(parse_health(page).host_reads == UINT64_MAX);
    put(page, 32, 8, UINT64_MAX / 512'000);
    CHECK(parse_health(page).bytes_read == UINT64_MAX / 512'000 * 512'000);
    put(page, 32, 8, UINT64_MAX / 512'000 + 1);
    CHECK(parse_health(page).bytes_read == UINT64_MAX);
    put(page, 5, 1, 255);
    CHECK(parse_health(page).used_percent == 255);
}

TEST_CASE("a node that is no drive's is refused by name") {
    HostTree host;
    CHECK_THROWS_WITH_AS(read_health(Sysfs(host.root()), "/dev/nvme0"),
                         "the drive at '/dev/nvme0' has no health log",
                         Error);
    host.write("/dev/nvme0", std::string(512, '\0'));
    CHECK(read_health(Sysfs(host.root()), "/dev/nvme0") == NvmeHealth{});
    CHECK_THROWS_WITH_AS(read_health(Sysfs(), "/nonexistent/nvme0"),
                         "open '/nonexistent/nvme0': No such file or directory",
                         Error);
    CHECK_THROWS_WITH_AS(read_health(Sysfs(), "/dev/null"),
                         "read the health log of '/dev/null': Inappropriate ioctl for device",
                         Error);
}
