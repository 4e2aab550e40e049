// SPDX-License-Identifier: LGPL-2.1-or-later
// The host's cells and huge pages, what guests were promised, and the memory policy's settings.
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "storage-driver/actions/allocate_pages.hpp"
#include "storage-driver/guests/followed_guest.hpp"
#include "storage-driver/memory/memory_cells.hpp"
#include "storage-driver/memory/pressure_watch.hpp"
#include "storage-driver/policy/policy_settings.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <fstream>

using namespace vireo;
using namespace vireo::storage;
using namespace vireo::test;

namespace {

constexpr uint64_t page_2m = 2 << 20;
constexpr uint64_t page_1g = 1 << 30;

void write_pool(HostTree& host,
                const std::string& folder,
                uint64_t kib,
                const std::map<std::string, std::string>& files) {
    for (const auto& [file, value] : files) {
        host.write(fmt::format("{}/hugepages-{}kB/{}", folder, kib, file), value + "\n");
    }
}

/// Two cells, the second with huge pages of two sizes, and a third without memory.
struct NumaHost {
    NumaHost() {
        tree.write("/proc/meminfo", "MemTotal: 3000 kB\nMemFree: 300 kB\nMemAvailable: 900 kB\n");
        tree.write("/sys/devices/system/node/node0/meminfo",
                   "\nNode 0 MemTotal:       1000 kB\nNode 0 MemFree:        100 kB\n");
        tree.write("/sys/devices/system/node/node10/meminfo",
                   "Node 10 MemTotal: 2000 kB\nNode 10 MemFree: 200 kB\n");
        tree.write("/sys/devices/system/node/node2/meminfo",
                   "Node 2 MemTotal: 0 kB\nNode 2 MemFree: 0 kB\n");
        for (const std::string cell : {"node0", "node10"}) {
            write_pool(
                tree,
                "/sys/devices/system/node/" + cell + "/hugepages",
                2048,
                {{"nr_hugepages", "10"}, {"free_hugepages", "4"}, {"surplus_hugepages", "2"}});
        }
        write_pool(tree,
                   "/sys/devices/system/node/node10/hugepages",
                   1048576,
                   {{"nr_hugepages", "1"}, {"free_hugepages", "0"}, {"surplus_hugepages", "0"}});
        write_pool(tree,
                   "/sys/kernel/mm/hugepages",
                   2048,
                   {{"nr_hugepages", "20"},
                    {"free_hugepages", "8"},
                    {"surplus_hugepages", "4"},
                    {"resv_hugepages", "3"}});
        write_pool(tree,
                   "/sys/kernel/mm/hugepages",
                   1048576,
                   {{"nr_hugepages", "1"},
                    {"free_hugepages", "0"},
                    {"surplus_hugepages", "0"},
                    {"resv_hugepages", "0"}});
    }

    Sysfs sysfs() const { return Sysfs(tree.root()); }

    std::string text(const std::string& path) const { return read_file(tree.at(path)); }

    HostTree tree;
};

std::string refused(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.phrased();
    }
    return "no error";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("cells are told in their order, those without memory left out") {
    const NumaHost host;
    CHECK(memory_cells(host.sysfs()) ==
          std::vector<MemoryCell>{{0, 1000 * 1024, 100 * 1024}, {10, 2000 * 1024, 200 * 1024}});
    HostTree plain;
    plain.write("/proc/meminfo", "MemTotal: 3000 kB\nMemFree: 300 kB\n");
    CHECK(memory_cells(Sysfs(plain.root())) ==
          std::vector<MemoryCell>{{0, 3000 * 1024, 300 * 1024}});
    CHECK(huge_page_pools(Sysfs(plain.root())).empty());
}

TEST_CASE("pools of huge pages are told by cell and size, reserved ones for the host") {
    const NumaHost host;
    CHECK(huge_page_pools(host.sysfs()) == std::vector<HugePagePool>{{0, page_2m, 10, 4, 2},
                                                                     {10, page_2m, 10, 4, 2},
                                                                     {10, page_1g, 1, 0, 0}});
    CHECK(reserved_huge_pages(host.sysfs()) ==
          std::map<uint64_t, uint64_t>{{page_2m, 3}, {page_1g, 0}});
}

TEST_CASE("pages are set and added in one cell or the host; surplus ones do not count") {
    const NumaHost host;
    const std::string file =
        "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages";
    // A file remembers what was written, as a kernel does that finds all pages.
    const PoolChange set = change_huge_pages(host.sysfs(), 0, page_2m, 50, PageChange::set);
    CHECK(set.before == 10);
    CHECK(set.total == 50);
    CHECK(host.text(file) == "50\n");
    const PoolChange added = change_huge_pages(host.sysfs(), 0, page_2m, 5, PageChange::add);
    CHECK(added.total == 50 - 2 + 5);
    const PoolChange all =
        change_huge_pages(host.sysfs(), std::nullopt, page_2m, 7, PageChange::set);
    CHECK(all.before == 20);
    CHECK(host.text("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages") == "7\n");
}

TEST_CASE("pages that there cannot be are refused, and nothing is written") {
    const NumaHost host;
    const auto change = [&](std::optional<uint32_t> cell, uint64_t size, uint64_t pages) {
        return refused(
            [&] { change_huge_pages(host.sysfs(), cell, size, pages, PageChange::add); });
    };
    CHECK(has(change(7, page_2m, 1), "no NUMA cell 7 on this host; it has 0, 2, 10"));
    CHECK(has(change(0, page_1g, 1),
              "no huge pages of 1073741824 bytes on this host; it has "
              "2097152 bytes"));
    CHECK(has(change(2, page_2m, 1), "it has none"));
    CHECK(has(change(0, page_2m, UINT64_MAX), "more than any host has"));
    CHECK(host.text("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages") ==
          "10\n");
    Loop loop;
    const auto allocate = [&](int32_t cell, const std::string& how) {
        return refused([&] {
            finish(loop, actions::allocate_pages(loop, host.sysfs(), cell, page_2m, 1, how));
        });
    };
    CHECK(has(allocate(0, "remove"), "'remove' is not one of set, add"));
    CHECK(has(allocate(-2, "add"), "-1 stands for all cells together"));
    CHECK(allocate(-1, "add") == "no error");
}

TEST_CASE("promises are summed up by cell") {
    FollowedGuests guests;
    guests["a"].promises = {{-1, 10, 9, 8, 7, 0}, {1, 5, 5, 5, 0, 5}};
    guests["b"].promises = {{0, 1, 1, 1, 0, 0}, {1, 2, 2, 2, 0, 0}};
    CHECK(sum_of_promises(guests) ==
          std::vector<PromiseRow>{{-1, 10, 9, 8, 7, 0}, {0, 1, 1, 1, 0, 0}, {1, 7, 7, 7, 0, 5}});
    CHECK(sum_of_promises({}).empty());
    CHECK(guests["a"].pinned());
    CHECK_FALSE(guests["b"].pinned());
}

TEST_CASE("settings come back as they were written, and nonsense is refused") {
    PolicySettings settings;
    settings.enabled = true;
    settings.reserve = 123;
    settings.interval = std::chrono::seconds(3);
    settings.guests["d4b5cdcf-4b8b-4f3e-9d0d-0c5a5ef0a1b2"] = {1, 2, 300};
    CHECK(parse_settings(format_settings(settings)) == settings);
    CHECK(parse_settings(format_settings({})) == PolicySettings{});
    for (const std::string text :
         {"",
          "{",
          "[]",
          R"({"enabled":1,"interval_usec":5000000,"guests":{}})",
          R"({"enabled":true,"interval_usec":1,"guests":{}})",
          R"({"enabled":true,"interval_usec":5000000,"guests":{"x":{"minimum":1,"maximum":2,)"
          R"("weight":1}}})",
          R"({"enabled":true,"interval_usec":5000000,"guests":)"
          R"({"d4b5cdcf-4b8b-4f3e-9d0d-0c5a5ef0a1b2":{"minimum":3,"maximum":2,"weight":1}}})"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_settings(text), Error);
    }
    CHECK(checked_uuid("D4B5CDCF-4b8b-4f3e-9d0d-0c5a5ef0a1b2") ==
          "d4b5cdcf-4b8b-4f3e-9d0d-0c5a5ef0a1b2");
    CHECK(has(refused([] { checked_uuid("guest"); }), "'guest' is not a UUID"));
    CHECK(has(refused([] { check_limits({2, 1, 100}); }), "less than its minimum"));
    CHECK(has(refused([] { check_limits({0, 1, 0}); }), "weight of 0"));
    CHECK(has(refused([] { check_limits({0, UINT64_MAX, 1}); }), "more than"));
    CHECK(default_reserve(uint64_t{64} << 30) == uint64_t{4} << 30);
    CHECK(default_reserve(uint64_t{1} << 30) == 256 << 20);
    CHECK(default_reserve(uint64_t{4} << 40) == uint64_t{16} << 30);
}

TEST_CASE("pressure is told by the kernel's file, and a host without it is refused") {
    Loop loop;
    HostTree host;
    const std::string root = host.root().string();
    const auto watch = [&] {
        PressureWatch(
            loop, root, [] {}, [](const std::string&) {});
    };
    CHECK(has(refused(watch), "No such file or directory; it takes a kernel with PSI"));
    host.write("/proc/pressure/memory/below", "");
    CHECK(has(refused(watch), "Is a directory"));
    host.remove("/proc/pressure/memory");
    REQUIRE(::mkfifo(host.at("/proc/pressure/memory").c_str(), 0600) == 0);
    int told = 0;
    const PressureWatch watching(
        loop, root, [&] { ++told; }, [](const std::string&) {});
    run_ready(loop);
    CHECK(told == 0);
    for (int i = 1; i <= 2; ++i) {
        std::ofstream(host.at("/proc/pressure/memory")) << "stalled\nstalled\n";
        REQUIRE(run_until(loop, [&] { return told == i; }));
        run_ready(loop);
        CHECK(told == i);
    }
}

TEST_CASE("this machine's own kernel takes the trigger, or says why not") {
    Loop loop;
    const std::string failure = refused([&] {
        PressureWatch(
            loop, "", [] {}, [](const std::string&) {});
    });
    CHECK((failure == "no error" || has(failure,
                                        "memory pressure cannot be watched: "
                                        "'/proc/pressure/memory': ")));
}
