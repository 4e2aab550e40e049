// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/memory_simulation.hpp"

#include <algorithm>

namespace vireo::test {

namespace {

constexpr uint64_t growth_rate = 512 * sim_mib; // a second
constexpr uint64_t shrink_rate = 256 * sim_mib;
constexpr uint64_t cache_rate = 1 * sim_mib;
constexpr unsigned stats_period = 5;

} // namespace

uint64_t Simulation::available() const {
    uint64_t taken = others(second_);
    for (const SimulatedGuest& guest : guests) {
        taken += guest.resident;
    }
    return total - std::min(total, taken);
}

void Simulation::move(SimulatedGuest& guest) const {
    const uint64_t wanted = guest.demand(second_);
    if (guest.takes && guest.target > guest.current) {
        guest.current += std::min(guest.target - guest.current, growth_rate);
    }
    if (guest.gives && guest.target < guest.current) {
        // A guest cannot give what it uses, and never quite all that it does not.
        const uint64_t kept = guest.used + guest.used / 50;
        const uint64_t floor = std::min(guest.current, std::max(guest.target, kept));
        const uint64_t step = std::min(guest.current - floor, shrink_rate);
        guest.current -= step / guest.step * guest.step;
    }
    guest.used = std::min(wanted, guest.current);
    guest.starving = wanted > guest.current ? guest.starving + 1 : 0;
    guest.longest_starving = std::max(guest.longest_starving, guest.starving);
    // What was touched stays with the host until the guest gives it back.
    guest.resident = std::max(std::min(guest.resident + cache_rate, guest.current), guest.used);
    if (second_ % stats_period == 0) {
        guest.told_usable = guest.current - guest.used;
    }
}

void Simulation::decide() {
    const storage::HostLoad host{
        .available = available(), .reserve = reserve, .stalled = available() < reserve / 2};
    std::vector<storage::GuestLoad> loads;
    for (const SimulatedGuest& guest : guests) {
        loads.push_back({.id = guest.id,
                         .limits = guest.limits,
                         .least = 0,
                         .most = UINT64_MAX / 4,
                         .step = guest.step,
                         .target = guest.target,
                         .current = guest.current,
                         .resident = guest.resident,
                         .usable = guest.tells ? std::optional(guest.told_usable) : std::nullopt,
                         .pinned = false});
    }
    const auto round = policy_->decide(std::chrono::seconds(second_), host, std::move(loads));
    for (const storage::MemoryDecision& decision : round.decisions) {
        const auto guest = std::ranges::find(guests, decision.guest, &SimulatedGuest::id);
        requests.push_back(
            {second_, decision, guest->current, guest->told_usable, host.available < host.reserve});
        guest->target = decision.to;
    }
    marks.insert(marks.end(), round.marks.begin(), round.marks.end());
}

void Simulation::run(unsigned seconds) {
    if (!policy_) {
        policy_.emplace(tuning);
        for (SimulatedGuest& guest : guests) {
            guest.target = guest.current;
            guest.resident = std::min(guest.current, guest.demand(0));
        }
    }
    for (const unsigned end = second_ + seconds; second_ < end; ++second_) {
        for (SimulatedGuest& guest : guests) {
            move(guest);
        }
        least_available = std::min(least_available, available());
        if (available() < reserve) {
            seconds_below_reserve.push_back(second_);
        }
        if (second_ % round_every == 0) {
            decide();
        }
    }
}

std::vector<Simulation::Request> Simulation::requests_to(const std::string& id) const {
    std::vector<Request> found;
    std::ranges::copy_if(requests, std::back_inserter(found), [&](const Request& request) {
        return request.decision.guest == id;
    });
    return found;
}

unsigned Simulation::reversals(const std::string& id) const {
    unsigned count = 0;
    int direction = 0;
    for (const Request& request : requests_to(id)) {
        const int now = request.decision.to > request.decision.from ? 1 : -1;
        count += direction != 0 && now != direction ? 1 : 0;
        direction = now;
    }
    return count;
}

} // namespace vireo::test
