// SPDX-License-Identifier: LGPL-2.1-or-later
// What the memory policy decides, decision by decision.
#include "libshared/error.hpp"
#include "storage-driver/policy/memory_policy.hpp"
#include "storage-driver/policy/standing_marks.hpp"
#include "tests/support/memory_simulation.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vireo::storage;
using namespace std::chrono_literals;
using vireo::test::sim_gib;
using vireo::test::sim_mib;

namespace {

GuestLoad guest_of(const std::string& id, uint64_t has_mib, uint64_t free_mib) {
    return {.id = id,
            .limits = {256 * sim_mib, 8 * sim_gib, 100},
            .least = 0,
            .most = 16 * sim_gib,
            .step = 2 * sim_mib,
            .target = has_mib * sim_mib,
            .current = has_mib * sim_mib,
            .resident = has_mib * sim_mib,
            .usable = free_mib * sim_mib,
            .pinned = false};
}

HostLoad host_of(uint64_t available_mib, bool stalled = false) {
    return {.available = available_mib * sim_mib, .reserve = 1 * sim_gib, .stalled = stalled};
}

/// What one guest is to change by, in MiB; 0: nothing was decided.
int64_t change_of(const MemoryRound& round, const std::string& id) {
    for (const MemoryDecision& decision : round.decisions) {
        if (decision.guest == id) {
            return (static_cast<int64_t>(decision.to) - static_cast<int64_t>(decision.from)) /
                   static_cast<int64_t>(sim_mib);
        }
    }
    return 0;
}

GuestCondition condition_in(const MemoryRound& round, const std::string& id) {
    const auto found =
        std::ranges::find(round.conditions, id, &std::pair<std::string, GuestCondition>::first);
    return found->second;
}

constexpr uint64_t plenty = 64 * 1024;

} // namespace

TEST_CASE("a guest that is short grows to comfort, by a quarter at a time") {
    MemoryPolicy policy;
    const MemoryRound round = policy.decide(0s, host_of(plenty), {guest_of("a", 1024, 50)});
    CHECK(change_of(round, "a") == 194); // 974 are used: 1218 leave a fifth
    CHECK(condition_in(round, "a") == GuestCondition::growing);
    CHECK(round.decisions[0].reason == "it is short: 50 MiB of its 1024 MiB are free");
    MemoryPolicy other;
    CHECK(change_of(other.decide(0s, host_of(plenty), {guest_of("a", 1024, 0)}), "a") == 256);
}

TEST_CASE("what neither is short nor has to spare is left alone, and so is what nobody needs") {
    MemoryPolicy policy;
    for (const uint64_t free : {103, 200, 300, 1000}) {
        const MemoryRound round = policy.decide(0s, host_of(plenty), {guest_of("a", 1024, free)});
        CHECK(round.decisions.empty());
        CHECK(condition_in(round, "a") == GuestCondition::settled);
    }
}

TEST_CASE("limits of the operator and of the guest's devices hold") {
    MemoryPolicy policy;
    GuestLoad capped = guest_of("capped", 1024, 0);
    capped.limits.maximum = 1030 * sim_mib;
    GuestLoad full = guest_of("full", 1024, 0);
    full.most = 1024 * sim_mib;
    GuestLoad small = guest_of("small", 200, 190); // below its minimum, however little it uses
    GuestLoad large = guest_of("large", 4096, 3000);
    large.limits.maximum = 2048 * sim_mib;
    GuestLoad used = guest_of("used", 4096, 500);
    used.limits.maximum = 1024 * sim_mib;
    const MemoryRound round =
        policy.decide(0s, host_of(plenty), {capped, full, small, large, used});
    CHECK(change_of(round, "capped") == 6);
    CHECK(change_of(round, "full") == 0);
    CHECK(change_of(round, "small") == 50); // by a quarter
    CHECK(change_of(round, "large") == -512);
    CHECK(change_of(round, "used") == 0); // it uses more than its maximum: a tenth stays free
    CHECK(condition_in(round, "used") == GuestCondition::settled);
}

TEST_CASE("where the host has nothing left, those with memory to spare make room first") {
    MemoryPolicy policy;
    const std::vector<GuestLoad> guests{guest_of("idle", 4096, 3500), guest_of("short", 1024, 20)};
    const MemoryRound round = policy.decide(0s, host_of(1280), guests);
    CHECK(change_of(round, "short") == 0);
    CHECK(condition_in(round, "short") == GuestCondition::wanting);
    CHECK(change_of(round, "idle") < -200);
    CHECK(round.decisions[0].reason == "others are short: 3500 MiB of its 4096 MiB are free");
    // It has given: now there is some.
    std::vector<GuestLoad> later = guests;
    later[0].target = later[0].current = later[0].resident = round.decisions[0].to;
    later[0].usable = 3500 * sim_mib - (4096 * sim_mib - round.decisions[0].to);
    const MemoryRound next = policy.decide(10s, host_of(1280 + 520), later);
    CHECK(change_of(next, "short") > 100);
}

TEST_CASE("below the reserve all give that can, and none less than it uses and a seventh") {
    MemoryPolicy policy;
    GuestLoad pinned = guest_of("pinned", 4096, 3000);
    pinned.pinned = true;
    GuestLoad silent = guest_of("silent", 4096, 0);
    silent.usable.reset();
    const MemoryRound round = policy.decide(0s,
                                            host_of(100),
                                            {guest_of("idle", 4096, 3500),
                                             guest_of("busy", 4096, 700),
                                             pinned,
                                             silent,
                                             guest_of("short", 1024, 20)});
    CHECK(change_of(round, "idle") == -1024);
    CHECK(change_of(round, "busy") == -192); // 3396 used, 3904 leave 13 % of it
    CHECK(change_of(round, "pinned") == 0);
    CHECK(change_of(round, "silent") == 0);
    CHECK(change_of(round, "short") == 0);
    CHECK(condition_in(round, "pinned") == GuestCondition::fixed);
    CHECK(condition_in(round, "silent") == GuestCondition::silent);
    CHECK(round.decisions[0].reason ==
          "the host has 100 MiB available, its reserve is 1024: 700 MiB of its 4096 MiB are free");
}

TEST_CASE("a host that waits for memory takes from those with memory to spare") {
    MemoryPolicy policy;
    const std::vector<GuestLoad> guests{guest_of("busy", 4096, 700), guest_of("idle", 4096, 3500)};
    CHECK(policy.decide(0s, host_of(plenty), guests).decisions.empty());
    const MemoryRound round = policy.decide(10s, host_of(plenty, true), guests);
    CHECK(change_of(round, "idle") <= -256);
    CHECK(change_of(round, "busy") == 0);
    CHECK(round.decisions[0].reason ==
          "the host waits for memory: 3500 MiB of its 4096 MiB are free");
}

TEST_CASE("a guest is asked again only after a while, and not shrunk soon after it grew") {
    MemoryPolicy policy;
    CHECK(change_of(policy.decide(0s, host_of(plenty), {guest_of("a", 1024, 0)}), "a") == 256);
    GuestLoad grown = guest_of("a", 1280, 0);
    CHECK(policy.decide(9s, host_of(plenty), {grown}).decisions.empty());
    CHECK(change_of(policy.decide(10s, host_of(plenty), {grown}), "a") == 320);
    grown = guest_of("a", 1600, 1500); // its load is gone
    CHECK(policy.decide(69s, host_of(1100), {grown}).decisions.empty());
    CHECK(change_of(policy.decide(71s, host_of(1000), {grown}), "a") < 0);
}

TEST_CASE("a guest that does not follow is let go, marked, and asked again much later") {
    MemoryPolicy policy;
    const GuestLoad idle = guest_of("a", 4096, 3500);
    const MemoryRound first = policy.decide(0s, host_of(100), {idle});
    CHECK(change_of(first, "a") == -1024);
    GuestLoad asked = idle;
    asked.target = first.decisions[0].to;
    CHECK(policy.decide(20s, host_of(100), {asked}).decisions.empty());
    const MemoryRound given_up = policy.decide(30s, host_of(100), {asked});
    REQUIRE(given_up.marks.size() == 1);
    CHECK(given_up.marks[0].set);
    CHECK(given_up.decisions ==
          std::vector<MemoryDecision>{
              {"a", 3072 * sim_mib, 4096 * sim_mib, given_up.marks[0].reason}});
    CHECK(given_up.marks[0].reason.find("it gives nothing back") != std::string::npos);
    CHECK(condition_in(given_up, "a") == GuestCondition::keeping);
    CHECK(policy.decide(600s, host_of(100), {idle}).decisions.empty());
    const MemoryRound again = policy.decide(631s, host_of(100), {idle});
    REQUIRE(again.marks.size() == 1);
    CHECK_FALSE(again.marks[0].set);
    CHECK(change_of(again, "a") == -1024);
    // In vain once more: twice as long.
    CHECK(policy.decide(661s, host_of(100), {asked}).marks.size() == 1);
    CHECK(policy.decide(661s + 1199s, host_of(100), {idle}).decisions.empty());
    CHECK(change_of(policy.decide(661s + 1200s, host_of(100), {idle}), "a") == -1024);
}

TEST_CASE("what a daemon has learnt of guests that do not follow, its successor knows") {
    MemoryPolicy killed;
    const GuestLoad idle = guest_of("a", 4096, 3500);
    GuestLoad asked = idle;
    asked.target = killed.decide(0s, host_of(100), {idle}).decisions[0].to;
    REQUIRE(killed.decide(30s, host_of(100), {asked}).marks.size() == 1);
    const std::vector<StandingMark> marks = killed.marks();
    CHECK(marks == std::vector<StandingMark>{{"a", true, true, 630s, 1}});
    CHECK(parse_marks(format_marks(marks)) == marks);

    MemoryPolicy successor;
    successor.take_up(marks, 40s);
    const MemoryRound first = successor.decide(40s, host_of(100), {idle});
    CHECK(first.decisions.empty());
    CHECK(first.marks.empty()); // it was told of before
    CHECK(condition_in(first, "a") == GuestCondition::keeping);
    CHECK(change_of(successor.decide(630s, host_of(100), {idle}), "a") == -1024);
    // In vain once more: twice as long.
    CHECK(successor.decide(660s, host_of(100), {asked}).marks.size() == 1);
    CHECK(successor.marks()[0].until == 660s + 1200s);

    // One that has given again has a clean slate, and one that has gone is forgotten.
    MemoryPolicy other;
    other.take_up({{"a", true, false, 0s, 3}}, 0s);
    CHECK(change_of(other.decide(0s, host_of(100), {idle}), "a") == -1024);
    GuestLoad given = asked;
    given.current = given.target;
    CHECK(other.decide(5s, host_of(100), {given}).decisions.empty());
    CHECK(other.marks().empty());
    other.take_up(marks, 10s);
    other.decide(10s, host_of(plenty), {});
    CHECK(other.marks().empty());
}

TEST_CASE("marks of another boot end in time, and what are no marks are refused") {
    MemoryPolicy policy;
    policy.take_up({{"a", false, true, 900h, 1}}, 10s);
    CHECK(policy.marks()[0].until == 10s + 2h);
    for (const char* text : {"", "{", "[{}]", R"([{"guest": 5}])", "[1]"}) {
        CHECK_THROWS_AS(parse_marks(text), vireo::Error);
    }
}

TEST_CASE("a guest that moves, slowly, is waited for") {
    MemoryPolicy policy;
    GuestLoad guest = guest_of("a", 4096, 3500);
    const MemoryRound first = policy.decide(0s, host_of(100), {guest});
    guest.target = first.decisions[0].to;
    for (int second = 10; second <= 200; second += 10) {
        guest.current -= 4 * sim_mib;
        const MemoryRound round =
            policy.decide(std::chrono::seconds(second), host_of(100), {guest});
        CHECK(round.decisions.empty());
        CHECK(round.marks.empty());
        CHECK(condition_in(round, "a") == GuestCondition::shrinking);
    }
}

TEST_CASE("a guest whose request is under way is left alone, and followed afterwards") {
    MemoryPolicy policy;
    GuestLoad guest = guest_of("a", 4096, 3500);
    const MemoryRound first = policy.decide(0s, host_of(100), {guest});
    GuestLoad busy = guest;
    busy.step = 0;
    CHECK(policy.decide(20s, host_of(100), {busy}).decisions.empty());
    guest.target = first.decisions[0].to;
    CHECK(policy.decide(30s, host_of(100), {guest}).marks.size() == 1);
}

TEST_CASE("a request that could not be made counts as one that was not followed") {
    MemoryPolicy policy;
    const GuestLoad short_guest = guest_of("a", 1024, 0);
    CHECK(change_of(policy.decide(0s, host_of(plenty), {short_guest}), "a") == 256);
    policy.failed("a", 1s);
    policy.failed("nobody", 1s);
    const MemoryRound round = policy.decide(20s, host_of(plenty), {short_guest});
    CHECK(round.decisions.empty());
    CHECK(condition_in(round, "a") == GuestCondition::refusing);
    CHECK(change_of(policy.decide(602s, host_of(plenty), {short_guest}), "a") == 256);
}

TEST_CASE("what an operator asks for meanwhile is not taken back") {
    MemoryPolicy policy;
    GuestLoad guest = guest_of("a", 4096, 3500);
    policy.decide(0s, host_of(100), {guest});
    guest.target = 2048 * sim_mib; // somebody else's number
    const MemoryRound round = policy.decide(60s, host_of(plenty), {guest});
    CHECK(round.decisions.empty());
    CHECK(round.marks.empty());
}

TEST_CASE("what is given goes to the smallest share first") {
    std::vector<MemoryClaim> claims{{.has = 100 * sim_mib,
                                     .weight = 100,
                                     .step = 2 * sim_mib,
                                     .least = 2 * sim_mib,
                                     .most = 400 * sim_mib,
                                     .part = 0},
                                    {.has = 100 * sim_mib,
                                     .weight = 300,
                                     .step = 2 * sim_mib,
                                     .least = 2 * sim_mib,
                                     .most = 400 * sim_mib,
                                     .part = 0}};
    CHECK(share_out(claims, 320 * sim_mib) == 320 * sim_mib);
    CHECK(claims[0].part < 40 * sim_mib);
    CHECK(claims[0].part + claims[1].part == 320 * sim_mib);
    CHECK(share_out(claims, 10'000 * sim_mib) == 800 * sim_mib);
    CHECK(share_out(claims, 1) == 0);
    CHECK(share_out({}, 100) == 0);
    // Where a whole block does not fit, another guest's smaller one may.
    claims[1].step = claims[1].least = 128 * sim_mib;
    claims[1].most = 384 * sim_mib;
    CHECK(share_out(claims, 100 * sim_mib) == 96 * sim_mib);
    CHECK(claims[1].part == 0);
}

TEST_CASE("what is collected comes from those who have most to spare") {
    std::vector<MemoryClaim> claims{{.has = 1000 * sim_mib,
                                     .weight = 100,
                                     .step = 2 * sim_mib,
                                     .least = 32 * sim_mib,
                                     .most = 500 * sim_mib,
                                     .part = 0},
                                    {.has = 1000 * sim_mib,
                                     .weight = 200,
                                     .step = 2 * sim_mib,
                                     .least = 32 * sim_mib,
                                     .most = 500 * sim_mib,
                                     .part = 0},
                                    {.has = 10 * sim_mib,
                                     .weight = 100,
                                     .step = 2 * sim_mib,
                                     .least = 32 * sim_mib,
                                     .most = 10 * sim_mib,
                                     .part = 0}};
    CHECK(collect(claims, 100 * sim_mib) >= 100 * sim_mib);
    CHECK(claims[0].part >= 100 * sim_mib);
    CHECK(claims[1].part == 0);
    CHECK(claims[2].part == 0);
    CHECK(collect(claims, 10'000 * sim_mib) == 1000 * sim_mib);
    CHECK(collect(claims, 0) == 0);
}
