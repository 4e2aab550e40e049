// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of the policy that gives and takes.
#include "storage-driver/policy/memory_policy.hpp"
#include "storage-driver/policy/share_out.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::storage {

namespace {

uint64_t above(uint64_t value, uint64_t other) {
    return value - std::min(value, other);
}

uint64_t whole_steps(uint64_t value, uint64_t step) {
    return step == 0 ? 0 : value / step * step;
}

uint64_t committed(const GuestLoad& load) {
    return std::max(load.current, load.target);
}

std::string state_text(const GuestLoad& load) {
    const uint64_t usable = load.usable.value_or(0);
    return fmt::format("{} of its {} MiB are free",
                       load.usable ? fmt::format("{} MiB", usable / bytes_per_mib)
                                   : "an unknown part",
                       load.current / bytes_per_mib);
}

} // namespace

MemoryPolicy::Pressure MemoryPolicy::pressure_of(const HostLoad& host, Microseconds now) const {
    return {.below_reserve = host.available < host.reserve,
            .near_reserve = host.available < host.reserve + host.reserve / near_part,
            .stalled = stalled_at_ && now - *stalled_at_ < tuning_.calm_after};
}

/// What a guest lacks; what it is below its minimum counts whatever it uses.
uint64_t MemoryPolicy::need_of(const View& view) const {
    if (view.target < view.low) {
        return view.low - view.target;
    }
    return view.is_short ? above(view.want, view.target) : 0;
}

/// What may be given to guests: what is left of the host once each had what it needs and no more,
/// and, at once, half of what is really there above the reserve.
MemoryPolicy::Budget MemoryPolicy::budget_of(const HostLoad& host,
                                             const std::vector<View>& views) const {
    uint64_t capacity = host.available;
    uint64_t claimed = host.reserve;
    uint64_t untouched = 0; // of what was given lately
    for (const View& view : views) {
        const uint64_t all = committed(view.load);
        const bool reclaimable = view.known && !view.track.keeps.set && !view.load.pinned;
        capacity += view.load.resident;
        claimed += reclaimable ? std::min(all, view.needs) : all;
        if (view.settling) {
            untouched += above(all, view.load.resident);
        }
    }
    const uint64_t kept = host.reserve + host.reserve / near_part + untouched;
    return {above(capacity, claimed), above(host.available, kept) / 2};
}

/// How far each of them may grow: what a guest that is short wants in the end is not known, and
/// until it has it none may take more than its share of what is left.
void MemoryPolicy::limit_to_shares(const std::vector<View*>& takers,
                                   uint64_t left,
                                   std::vector<MemoryClaim>& claims) {
    std::vector<MemoryClaim> all = claims;
    for (size_t i = 0; i < all.size(); ++i) {
        all[i].most = whole_steps(above(takers[i]->high, all[i].has), all[i].step);
        all[i].least = all[i].step;
    }
    share_out(all, left);
    for (size_t i = 0; i < all.size(); ++i) {
        claims[i].most = std::min(claims[i].most, all[i].part);
        claims[i].least = std::min(claims[i].least, claims[i].most);
    }
}

/// Gives; what could not be given is what others are to make room for.
uint64_t MemoryPolicy::grow(std::vector<View>& views,
                            const HostLoad& host,
                            const Pressure& pressure,
                            Microseconds now,
                            MemoryRound& round) {
    std::vector<View*> takers;
    std::vector<MemoryClaim> claims;
    uint64_t needed = 0;
    for (View& view : views) {
        const bool growing = view.track.request && !view.track.request->shrink;
        const uint64_t most = whole_steps(
            std::min(need_of(view), largest_change(view, tuning_.growing_part)), view.load.step);
        if (most == 0 || growing || view.track.refuses.set || !may_request(view, now)) {
            continue;
        }
        needed += most;
        const bool urgent = view.target < view.low;
        if (pressure.stalled && !urgent) {
            continue;
        }
        takers.push_back(&view);
        claims.push_back({.has = view.target,
                          .weight = view.load.limits.weight,
                          .step = view.load.step,
                          .least = std::min(most, urgent ? view.load.step : least_change(view)),
                          .most = most,
                          .part = 0});
    }
    const Budget budget = budget_of(host, views);
    limit_to_shares(takers, budget.in_all, claims);
    const uint64_t given = share_out(claims, std::min(budget.in_all, budget.at_once));
    for (size_t i = 0; i < takers.size(); ++i) {
        if (claims[i].part > 0) {
            View& view = *takers[i];
            request(view,
                    view.target + claims[i].part,
                    now,
                    fmt::format("{}: {}",
                                view.target < view.low ? "it is below its minimum" : "it is short",
                                state_text(view.load)),
                    round);
        }
    }
    return needed - given;
}

/// What the guest can be asked to go down to now; its target where it is left alone.
uint64_t
MemoryPolicy::lowest_for(const View& view, const Pressure& pressure, Microseconds now) const {
    const auto& request = view.track.request;
    if (!view.known || view.track.keeps.set || !may_request(view, now) ||
        (request && (request->shrink || !pressure.below_reserve))) {
        return view.target;
    }
    if (pressure.below_reserve) {
        return view.floor;
    }
    const bool just_grown =
        view.track.grown_at && now - *view.track.grown_at < tuning_.reversal_pause;
    if (just_grown) {
        return view.target;
    }
    if (view.target > view.high) {
        return std::max(view.high, view.floor);
    }
    return view.has_spare ? view.want : view.target;
}

std::string MemoryPolicy::reason_to_shrink(const View& view,
                                           const HostLoad& host,
                                           const Pressure& pressure) const {
    std::string why;
    if (view.target > view.high) {
        why = "it is above its maximum";
    } else if (pressure.below_reserve || pressure.near_reserve) {
        why = fmt::format("the host has {} MiB available, its reserve is {}",
                          host.available / bytes_per_mib,
                          host.reserve / bytes_per_mib);
    } else {
        why = pressure.stalled ? "the host waits for memory" : "others are short";
    }
    return fmt::format("{}: {}", why, state_text(view.load));
}

void MemoryPolicy::shrink(std::vector<View>& views,
                          const HostLoad& host,
                          const Pressure& pressure,
                          uint64_t missing,
                          Microseconds now,
                          MemoryRound& round) {
    uint64_t wanted = missing;
    if (pressure.below_reserve || pressure.near_reserve) {
        wanted += above(host.reserve + host.reserve / 2, host.available);
    } else if (pressure.stalled) {
        wanted += host.reserve / near_part;
    }
    std::vector<View*> givers;
    std::vector<MemoryClaim> claims;
    uint64_t coming = 0;
    uint64_t excess = 0;
    for (View& view : views) {
        if (view.track.request && view.track.request->shrink) {
            coming += above(view.load.current, view.target);
        }
        const unsigned part =
            pressure.below_reserve ? tuning_.emergency_part : tuning_.shrinking_part;
        const uint64_t surplus = above(view.target, lowest_for(view, pressure, now));
        const uint64_t most =
            whole_steps(std::min(surplus, largest_change(view, part)), view.load.step);
        if (most == 0) {
            continue;
        }
        const bool too_large = view.target > view.high;
        excess += too_large ? most : 0;
        givers.push_back(&view);
        claims.push_back({.has = too_large ? UINT64_MAX : surplus, // first of all
                          .weight = view.load.limits.weight,
                          .step = view.load.step,
                          .least = too_large ? view.load.step : least_change(view),
                          .most = most,
                          .part = 0});
    }
    collect(claims, std::max(above(wanted, coming), excess));
    for (size_t i = 0; i < givers.size(); ++i) {
        if (claims[i].part > 0) {
            View& view = *givers[i];
            std::string why = reason_to_shrink(view, host, pressure);
            request(view, view.target - claims[i].part, now, std::move(why), round);
        }
    }
}

} // namespace vireo::storage
