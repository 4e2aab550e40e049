// SPDX-License-Identifier: LGPL-2.1-or-later
// The memory policy on a host of a hundred guests, over hours, with made-up and recorded loads.
#include "tests/support/memory_simulation.hpp"
#include "tests/support/recorded_loads.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <span>

using namespace vireo;
using namespace vireo::test;
using storage::GuestLimits;

namespace {

using Random = std::mt19937; // the same numbers everywhere

uint64_t between(Random& random, uint64_t low, uint64_t high) {
    return low + random() % (high - low + 1);
}

Demand constant(uint64_t bytes) {
    return [bytes](unsigned) { return bytes; };
}

Demand wave(uint64_t low, uint64_t high, unsigned period, unsigned phase) {
    return [=](unsigned second) {
        const double angle = 2 * std::numbers::pi * ((second + phase) % period) / period;
        return low +
               static_cast<uint64_t>(static_cast<double>(high - low) * (1 - std::cos(angle)) / 2);
    };
}

/// High for a part of each period, as a nightly job.
Demand bursts(uint64_t low, uint64_t high, unsigned period, unsigned length, unsigned phase) {
    return [=](unsigned second) { return (second + phase) % period < length ? high : low; };
}

/// Every minute somewhat more or less.
Demand random_walk(Random& random, uint64_t low, uint64_t high) {
    std::vector<uint64_t> minutes;
    uint64_t now = between(random, low, high);
    for (unsigned minute = 0; minute < 600; ++minute) {
        const uint64_t move = (high - low) / 20;
        now = random() % 2 == 0 ? std::min(high, now + move) : std::max(low, now - move);
        minutes.push_back(now);
    }
    return [minutes](unsigned second) { return minutes[second / 60 % minutes.size()]; };
}

/// A recorded load between `low` and `high`, begun somewhere and played over and over.
Demand recorded(std::span<const uint16_t> load, uint64_t low, uint64_t high, unsigned phase) {
    return [=](unsigned second) {
        const size_t at = (second + phase) / recorded_interval_s % load.size();
        return low + (high - low) / recorded_scale * load[at];
    };
}

std::string name(unsigned number) {
    return fmt::format("guest{:03}", number);
}

/// A hundred guests, each kind of load in it, whose sum fits the host.
Simulation hundred_guests(unsigned seed) {
    Random random(seed);
    Simulation host(232 * sim_gib, 12 * sim_gib, 8 * sim_gib);
    for (unsigned number = 0; number < 100; ++number) {
        const uint64_t low = between(random, 256, 1024) * sim_mib;
        const uint64_t high = low + between(random, 256, 2560) * sim_mib;
        const auto phase = static_cast<unsigned>(between(random, 0, 3600));
        const auto period = static_cast<unsigned>(between(random, 900, 3600));
        SimulatedGuest guest{.id = name(number),
                             .limits = {512 * sim_mib, 8 * sim_gib, 100},
                             .demand = {},
                             .current = 1536 * sim_mib};
        switch (number % 6) {
        case 0:
            guest.demand = constant(low);
            break;
        case 1:
            guest.demand = wave(low, high, period, phase);
            break;
        case 2:
            guest.demand = bursts(low, high, period, period / 4, phase);
            break;
        case 3:
            guest.demand = random_walk(random, low, high);
            break;
        default:
            guest.demand =
                recorded(recorded_loads[number % recorded_loads.size()], low, high, phase);
            break;
        }
        host.guests.push_back(std::move(guest));
    }
    return host;
}

/// What holds for every request, whatever the loads are.
void check_requests(const Simulation& host) {
    std::map<std::string, Simulation::Request> last;
    std::map<std::string, unsigned> grown;
    for (const Simulation::Request& request : host.requests) {
        const auto& decision = request.decision;
        CAPTURE(request.second);
        CAPTURE(decision.guest);
        CAPTURE(decision.from);
        CAPTURE(decision.to);
        CAPTURE(decision.reason);
        const auto guest = std::ranges::find(host.guests, decision.guest, &SimulatedGuest::id);
        const bool back = decision.to == request.current; // the request is taken back
        REQUIRE(decision.from != decision.to);
        REQUIRE(!decision.reason.empty());
        REQUIRE(decision.to <= guest->limits.maximum);
        REQUIRE(decision.to >= std::min(guest->limits.minimum, request.current));
        const uint64_t used = request.current - request.usable;
        if (decision.to < decision.from) {
            REQUIRE(decision.to >= std::min(request.current, used + used / 10));
        }
        if (!back) {
            const uint64_t change =
                std::max(decision.from, decision.to) - std::min(decision.from, decision.to);
            const bool quick = request.below_reserve || decision.to > decision.from;
            const uint64_t part = quick ? 4 : 8;
            REQUIRE(change <= std::max({request.current / part, 32 * sim_mib, guest->step}));
            const auto before = last.find(decision.guest);
            REQUIRE((before == last.end() || request.second >= before->second.second + 10));
            if (decision.to > decision.from) {
                grown[decision.guest] = request.second;
            } else if (!request.below_reserve && grown.contains(decision.guest)) {
                REQUIRE(request.second >= grown[decision.guest] + 60);
            }
        }
        last.insert_or_assign(decision.guest, request);
    }
}

constexpr unsigned hour = 3600;

} // namespace

TEST_CASE("a hundred guests share a host, and none of them and it come to harm") {
    for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
        CAPTURE(seed);
        Simulation host = hundred_guests(seed);
        host.run(6 * hour);
        check_requests(host);
        CHECK(host.requests.size() > 600); // it was not idle
        CHECK(host.seconds_below_reserve.empty());
        CHECK(host.marks.empty());
        for (const SimulatedGuest& guest : host.guests) {
            CAPTURE(guest.id);
            // Nobody starves: what the host has is there soon.
            CHECK(guest.longest_starving <= 120);
            // Nobody swings: no more turns than its load makes, in six hours.
            CHECK(host.reversals(guest.id) <= 60);
        }
    }
}

TEST_CASE("the same host gives the same decisions") {
    Simulation one = hundred_guests(7);
    Simulation other = hundred_guests(7);
    std::ranges::reverse(other.guests);
    one.run(hour);
    other.run(hour);
    REQUIRE(one.requests.size() == other.requests.size());
    for (size_t i = 0; i < one.requests.size(); ++i) {
        CHECK(one.requests[i].decision == other.requests[i].decision);
    }
}

TEST_CASE("loads that do not change come to rest") {
    Simulation host = hundred_guests(11);
    Random random(11);
    for (SimulatedGuest& guest : host.guests) {
        guest.demand = constant(between(random, 256, 3072) * sim_mib);
    }
    host.run(hour);
    const size_t before = host.requests.size();
    host.run(3 * hour);
    CHECK(host.requests.size() == before);
    CHECK(host.seconds_below_reserve.empty());
    for (const SimulatedGuest& guest : host.guests) {
        CHECK(guest.starving == 0);
        CHECK(host.reversals(guest.id) == 0);
    }
}

TEST_CASE("a guest that gives nothing back is left alone, and others give instead") {
    Simulation host = hundred_guests(13);
    for (unsigned number = 0; number < 100; number += 10) {
        host.guests[number].gives = false;
        host.guests[number].demand = constant(300 * sim_mib);
    }
    // A quarter of them wants far more than they have: the others' spare memory is needed.
    host.total = 236 * sim_gib;
    for (unsigned number = 1; number < 100; number += 4) {
        host.guests[number].demand = bursts(600 * sim_mib, 2560 * sim_mib, 2 * hour, hour, 0);
    }
    host.run(4 * hour);
    check_requests(host);
    CHECK(host.seconds_below_reserve.empty());
    unsigned marked = 0;
    for (unsigned number = 0; number < 100; ++number) {
        CAPTURE(number);
        if (host.guests[number].gives) {
            CHECK(host.guests[number].longest_starving <= 240);
            continue;
        }
        // Asked, found unwilling, let go: then again after 10, 20, 40 … minutes.
        unsigned asked = 0;
        for (const auto& request : host.requests_to(name(number))) {
            asked += request.decision.to < request.decision.from ? 1 : 0;
        }
        CHECK(asked <= 6);
        CHECK(host.guests[number].target == host.guests[number].current);
        marked += asked > 0 ? 1 : 0;
    }
    CHECK(marked > 0);
    for (const storage::MemoryMark& mark : host.marks) {
        CHECK(std::ranges::find(host.guests, mark.guest, &SimulatedGuest::id)->gives == false);
    }
}

TEST_CASE("a guest that takes nothing is not offered more in a loop") {
    Simulation host = hundred_guests(17);
    host.guests[3].takes = false;
    host.guests[3].demand = constant(3 * sim_gib);
    host.run(2 * hour);
    const auto requests = host.requests_to(name(3));
    CHECK(!requests.empty());
    CHECK(requests.size() <= 2 * 5); // an offer, and that it is taken back
    CHECK(host.guests[3].target == host.guests[3].current);
    CHECK(std::ranges::count(host.marks, name(3), &storage::MemoryMark::guest) > 0);
}

TEST_CASE("a guest that says nothing of itself keeps what it has") {
    Simulation host = hundred_guests(19);
    host.guests[5].tells = false;
    host.guests[6].tells = false;
    host.guests[6].current = 256 * sim_mib; // below its minimum
    host.run(hour);
    CHECK(host.requests_to(name(5)).empty());
    CHECK(host.guests[6].current == 512 * sim_mib);
}

TEST_CASE("when something else takes the host's memory, guests make room at once") {
    Simulation host = hundred_guests(23);
    host.run(2 * hour);
    const uint64_t available = host.available();
    // In a minute it takes all that was available, and half of the reserve.
    const uint64_t surge = available - host.reserve / 2;
    host.others = [surge](unsigned second) {
        const unsigned since = second < 2 * hour ? 0 : second - 2 * hour;
        return 8 * sim_gib + std::min<uint64_t>(surge, surge / 60 * since);
    };
    host.run(hour);
    check_requests(host);
    CHECK(host.least_available > host.reserve / 4);
    if (!host.seconds_below_reserve.empty()) {
        CHECK(host.seconds_below_reserve.back() < 2 * hour + 180);
    }
    CHECK(host.available() >= host.reserve);
}

TEST_CASE("scarce memory goes by weight, and nobody is left with less than the minimum") {
    Simulation host(128 * sim_gib, 8 * sim_gib, 4 * sim_gib);
    for (unsigned number = 0; number < 100; ++number) {
        host.guests.push_back(
            {.id = name(number),
             .limits = {256 * sim_mib, 8 * sim_gib, number % 2 == 0 ? 100U : 300U},
             .demand = constant(8 * sim_gib),
             .current = number == 50 ? 128 * sim_mib : 256 * sim_mib});
    }
    host.run(2 * hour);
    check_requests(host);
    CHECK(host.seconds_below_reserve.empty());
    uint64_t light = 0;
    uint64_t heavy = 0;
    for (const SimulatedGuest& guest : host.guests) {
        CHECK(guest.current >= guest.limits.minimum);
        (guest.limits.weight == 100 ? light : heavy) += guest.current;
    }
    const double ratio = static_cast<double>(heavy) / static_cast<double>(light);
    CHECK(ratio > 2.7);
    CHECK(ratio < 3.3);
    CHECK(light + heavy > 100 * sim_gib); // and it is used
}

TEST_CASE("blocks as large as memory modules are given and taken whole") {
    Simulation host = hundred_guests(29);
    for (unsigned number = 0; number < 100; number += 4) {
        host.guests[number].step = 512 * sim_mib;
        host.guests[number].current = 2048 * sim_mib;
    }
    host.run(3 * hour);
    check_requests(host);
    for (const Simulation::Request& request : host.requests) {
        const auto guest =
            std::ranges::find(host.guests, request.decision.guest, &SimulatedGuest::id);
        const uint64_t change = std::max(request.decision.from, request.decision.to) -
                                std::min(request.decision.from, request.decision.to);
        CHECK(change % guest->step == 0);
    }
    for (const SimulatedGuest& guest : host.guests) {
        CHECK(guest.longest_starving <= 240);
    }
}
