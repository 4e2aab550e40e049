// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/policy/memory_policy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::storage {

namespace {

uint64_t percent_of(uint64_t value, unsigned percent) {
    return value / 100 * percent + value % 100 * percent / 100;
}

/// What one must have so that `used` of it leaves `percent`, in whole steps.
uint64_t with_room(uint64_t used, unsigned percent, uint64_t step) {
    const uint64_t wanted = used / (100 - percent) * 100 + 100;
    return (wanted + step - 1) / step * step;
}

} // namespace

uint64_t MemoryPolicy::lately_used(Track& track, uint64_t used, Microseconds now) const {
    if (!track.peak_since || now - *track.peak_since >= tuning_.remembered) {
        track.last_peak = track.peak;
        track.peak = 0;
        track.peak_since = now;
    }
    track.peak = std::max(track.peak, used);
    return std::max(track.peak, track.last_peak);
}

MemoryPolicy::View
MemoryPolicy::view_of(const GuestLoad& load, Track& track, Microseconds now) const {
    const uint64_t high = std::min(load.limits.maximum, load.most);
    const uint64_t low = std::min(std::max(load.limits.minimum, load.least), high);
    const uint64_t used = load.current - std::min(load.current, load.usable.value_or(0));
    const uint64_t lately = load.usable ? lately_used(track, used, now) : used;
    const auto within = [&](uint64_t size) { return std::clamp(size, low, high); };
    const uint64_t step = std::max<uint64_t>(load.step, 1);
    const uint64_t unused = load.current - std::min(load.current, lately);
    const bool is_short = load.usable && *load.usable < percent_of(load.current, tuning_.short_of);
    const bool has_spare = load.usable && unused > percent_of(load.current, tuning_.spare);
    const bool settling = track.grown_at && now - *track.grown_at < tuning_.settling_time;
    return {.load = load,
            .track = track,
            .low = low,
            .high = high,
            .needs = within(with_room(used, tuning_.comfort, step)),
            .want = within(with_room(lately, tuning_.comfort, step)),
            .floor = std::max(low, with_room(used, tuning_.tight, step)),
            .target = load.target,
            .known = load.usable.has_value(),
            .is_short = is_short,
            .has_spare = has_spare,
            .settling = settling};
}

MemoryRound
MemoryPolicy::decide(Microseconds now, const HostLoad& host, std::vector<GuestLoad> guests) {
    std::ranges::sort(guests, {}, &GuestLoad::id);
    std::erase_if(tracks_, [&](const auto& entry) {
        return !std::ranges::binary_search(guests, entry.first, {}, &GuestLoad::id);
    });
    if (host.stalled) {
        stalled_at_ = now;
    }
    const Pressure pressure = pressure_of(host, now);
    MemoryRound round;
    std::vector<View> views;
    for (const GuestLoad& load : guests) {
        views.push_back(view_of(load, tracks_[load.id], now));
        follow_up(views.back(), now, round);
    }
    const uint64_t missing = grow(views, host, pressure, now, round);
    shrink(views, host, pressure, missing, now, round);
    std::ranges::sort(round.decisions, {}, &MemoryDecision::guest);
    for (const View& view : views) {
        round.conditions.emplace_back(view.load.id, condition_of(view));
    }
    return round;
}

GuestCondition MemoryPolicy::condition_of(const View& view) {
    const auto& request = view.track.request;
    if (view.load.step == 0 || view.load.pinned) {
        return GuestCondition::fixed;
    }
    if (request) {
        return request->shrink ? GuestCondition::shrinking : GuestCondition::growing;
    }
    if (!view.known) {
        return GuestCondition::silent;
    }
    if (view.track.refuses.set) {
        return GuestCondition::refusing;
    }
    if (view.is_short && view.target < view.high) {
        return GuestCondition::wanting;
    }
    return view.track.keeps.set ? GuestCondition::keeping : GuestCondition::settled;
}

void MemoryPolicy::expire(Mark& mark, Microseconds now, const View& view, MemoryRound& round) {
    if (mark.set && now >= mark.until) {
        mark.set = false;
        round.marks.push_back({view.load.id, false, "its time is over: it may be asked again"});
    }
}

/// Whether the guest does what it was asked for.
void MemoryPolicy::follow_up(View& view, Microseconds now, MemoryRound& round) {
    Track& track = view.track;
    expire(track.keeps, now, view, round);
    expire(track.refuses, now, view, round);
    if (!track.request || view.load.step == 0) {
        return;
    }
    Request& request = *track.request;
    const uint64_t current = view.load.current;
    const uint64_t step = view.load.step;
    const uint64_t off =
        std::max(request.to, view.load.target) - std::min(request.to, view.load.target);
    if (off > step) { // somebody else has asked it for something
        track.request.reset();
        return;
    }
    if (request.shrink ? current <= view.load.target : current + step > view.load.target) {
        (request.shrink ? track.keeps : track.refuses).times = 0;
        track.request.reset();
        return;
    }
    if (request.shrink ? current < request.seen : current > request.seen) {
        request.seen = current;
        request.moved = now;
        return;
    }
    if (now - request.moved < tuning_.patience) {
        return;
    }
    const bool shrink = request.shrink;
    track.request.reset();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(tuning_.patience).count();
    std::string why =
        shrink ? fmt::format("it has {} MiB where it was asked to keep {}, and nothing has moved "
                             "for {} s: it gives nothing back",
                             current / bytes_per_mib,
                             view.load.target / bytes_per_mib,
                             seconds)
               : fmt::format("it has {} MiB where {} were offered, and nothing has moved for {} "
                             "s: it takes nothing",
                             current / bytes_per_mib,
                             view.load.target / bytes_per_mib,
                             seconds);
    round.decisions.push_back({view.load.id, view.load.target, current, why});
    view.target = current;
    track.requested_at = now;
    mark(view, shrink ? track.keeps : track.refuses, now, std::move(why), round);
}

void MemoryPolicy::mark(
    const View& view, Mark& mark, Microseconds now, std::string why, MemoryRound& round) {
    mark.set = true;
    mark.until = now + std::min(tuning_.longest_mark, tuning_.mark_time * (1U << mark.times));
    mark.times = std::min(mark.times + 1, 16U);
    round.marks.push_back({view.load.id, true, std::move(why)});
}

void MemoryPolicy::failed(const std::string& guest, Microseconds now) {
    const auto found = tracks_.find(guest);
    if (found == tracks_.end() || !found->second.request) {
        return;
    }
    Track& track = found->second;
    Mark& mark = track.request->shrink ? track.keeps : track.refuses;
    track.request.reset();
    mark.set = true;
    mark.until = now + tuning_.mark_time;
}

std::vector<StandingMark> MemoryPolicy::marks() const {
    std::vector<StandingMark> all;
    for (const auto& [guest, track] : tracks_) {
        for (const bool shrink : {true, false}) {
            const Mark& mark = shrink ? track.keeps : track.refuses;
            if (mark.set || mark.times > 0) {
                all.push_back({guest, shrink, mark.set, mark.until, mark.times});
            }
        }
    }
    return all;
}

void MemoryPolicy::take_up(const std::vector<StandingMark>& marks, Microseconds now) {
    for (const StandingMark& known : marks) {
        Track& track = tracks_[known.guest];
        Mark& mark = known.shrink ? track.keeps : track.refuses;
        mark.set = known.set;
        mark.until = std::min(known.until, now + tuning_.longest_mark); // never of another boot
        mark.times = known.times;
    }
}

bool MemoryPolicy::may_request(const View& view, Microseconds now) const {
    const Track& track = view.track;
    return view.load.step > 0 && !view.load.pinned &&
           (!track.requested_at || now - *track.requested_at >= tuning_.request_interval);
}

uint64_t MemoryPolicy::largest_change(const View& view, unsigned part) const {
    return std::max({view.load.current / part, tuning_.least_step, view.load.step});
}

uint64_t MemoryPolicy::least_change(const View& view) const {
    return std::max(view.load.current / tuning_.least_part, view.load.step);
}

void MemoryPolicy::request(
    View& view, uint64_t to, Microseconds now, std::string why, MemoryRound& round) {
    const bool shrink = to < view.target;
    view.track.request = Request{shrink, to, view.load.current, now};
    view.track.requested_at = now;
    if (!shrink) {
        view.track.grown_at = now;
    }
    round.decisions.push_back({view.load.id, view.target, to, std::move(why)});
    view.target = to;
}

} // namespace vireo::storage
