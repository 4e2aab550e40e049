// SPDX-License-Identifier: LGPL-2.1-or-later
// What a running Linux guest really has of its memory where it does not do as it is told, starts
// again, or is told by its balloon: on real QEMU.
#include "tests/support/memory_guest.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

namespace {

using namespace vireo;
using namespace vireo::test;

/// The CPU time that all threads of a process have had. Source: the kernel's
/// Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat.
std::chrono::nanoseconds cpu_time(pid_t pid) {
    std::chrono::nanoseconds sum{0};
    for (const auto& task :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
        std::ifstream file(task.path() / "schedstat");
        std::int64_t ran = 0;
        file >> ran;
        sum += std::chrono::nanoseconds(ran);
    }
    return sum;
}

using Stats = std::map<std::int32_t, std::uint64_t>;

Stats memory_stats(MemoryGuest& guest) {
    return guest.client().call<Stats>(guest.domain(), "MemoryStats", std::uint32_t{0});
}

void set_memory(MemoryGuest& guest, std::uint64_t kib) {
    guest.client().call(guest.domain(), "SetMemory", kib, std::uint32_t{1});
}

} // namespace

TEST_CASE("a guest that keeps its memory is told of, and costs nothing") {
    // Not movable: what lies on huge pages of the guest's own it gives back for others alone.
    MemoryGuest guest({.online = "online_kernel"});
    const std::uint64_t small = guest.guest_kib();
    guest.request(256);
    REQUIRE(guest.wait() == 256 * mib);
    guest.await_guest_kib([&](std::uint64_t kib) { return kib > small + 250 * 1024; });
    guest.console().run("echo 100 > /proc/sys/vm/nr_hugepages", guest_limit);
    const auto pages =
        std::stoul(guest.console().run("cat /proc/sys/vm/nr_hugepages", guest_limit));
    REQUIRE(pages > 75);

    guest.request(0);
    CHECK(contains(MemoryGuest::message_of([&] { guest.wait(); }),
                   "the guest has stopped giving back memory of device 'virtiomem0': it keeps "));
    const std::uint64_t kept = guest.current();
    CHECK(kept > 0);
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "Requested") == 0);

    // Another 10 s in which nothing moves.
    const pid_t daemon = guest.instance().find("vireo-qemud").value();
    const std::string before = guest.instance().log();
    const auto ran = cpu_time(daemon);
    CHECK(contains(MemoryGuest::message_of([&] { guest.wait(); }), "nothing has moved for 10 s"));
    const auto spent = cpu_time(daemon) - ran;
    MESSAGE("CPU time of qemud in these 10 s: "
            << std::chrono::duration<double, std::milli>(spent).count() << " ms");
    CHECK(spent < std::chrono::milliseconds(20));
    const std::string printed = guest.instance().log().substr(before.size());
    CHECK(std::count(printed.begin(), printed.end(), '\n') <= 2);

    guest.request(256);
    CHECK(guest.wait() == 256 * mib);
}

TEST_CASE("a guest that starts again gives all back, is asked for the same, and takes it again") {
    MemoryGuest guest({});
    guest.request(256);
    REQUIRE(guest.wait() == 256 * mib);
    Watch changes = guest.watch_properties();
    guest.client().call(guest.domain(), "Reset", std::uint32_t{0});
    await_property(changes, "Current", 0);
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "Requested") == 256 * mib);
    guest.console().await("Hello from your guest", boot_limit);
    CHECK(guest.wait() == 256 * mib);
    CHECK(contains(guest.xml(), "<current unit='KiB'>262144</current>"));
}

TEST_CASE(
    "SetMemory, its event, the document and the statistics count what virtio-mem has plugged") {
    MemoryGuest guest({});
    guest.request(256);
    REQUIRE(guest.wait() == 256 * mib);
    CHECK(memory_stats(guest).at(6) == 448 * 1024);

    Watch balloon = guest.client().watch(guest.domain(), "BalloonChange");
    set_memory(guest, 400 * 1024);
    const auto await_change = [&](std::uint64_t kib) {
        const auto is = [kib](const auto& now) { return std::get<0>(now) == kib; };
        balloon.next_where<std::uint64_t>(is, guest_limit);
    };
    await_change(400 * 1024);
    CHECK(contains(guest.xml(), "<currentMemory unit='KiB'>409600</currentMemory>"));
    CHECK(memory_stats(guest).at(6) == 400 * 1024);
    CHECK(guest.current() == 256 * mib);

    CHECK(contains(MemoryGuest::message_of([&] { set_memory(guest, 200 * 1024); }),
                   "less than the guest has of its virtio-mem devices, 262144 KiB"));
    CHECK(contains(MemoryGuest::message_of([&] { set_memory(guest, 500 * 1024); }),
                   "without more of its virtio-mem devices, 458752 KiB"));

    // Nobody looks while the balloon leaves the guest more.
    set_memory(guest, 448 * 1024);
    guest.instance().end("vireo-qemud", SIGKILL);
    guest.wait(); // which starts it again
    await_change(448 * 1024);
    CHECK(contains(guest.xml(), "<currentMemory unit='KiB'>458752</currentMemory>"));

    // The guest's own view comes with its statistics. What it told of itself when it booted,
    // unasked, counts only what it had then.
    constexpr std::int32_t available = 5; // virDomainMemoryStatTags
    guest.client().call(guest.domain(), "SetMemoryStatsPeriod", std::int32_t{1}, std::uint32_t{1});
    const auto deadline = std::chrono::steady_clock::now() + guest_limit;
    Stats now = memory_stats(guest);
    while (now[available] <= 256 * 1024 && std::chrono::steady_clock::now() < deadline) {
        guest.guest_kib(); // something that takes its time
        now = memory_stats(guest);
    }
    CHECK(now[available] > 256 * 1024);
    CHECK(now[available] <= 448 * 1024);
}
