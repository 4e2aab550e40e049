// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_machine.hpp"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace vireo::qemu {

namespace {

std::string timestamp(int64_t seconds) {
    const time_t moment = seconds;
    tm parts{};
    ::gmtime_r(&moment, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    return text;
}

/// The seconds of an adjustment; nothing for "reset" or none.
std::optional<int64_t> seconds(const std::optional<std::string>& adjustment) {
    if (!adjustment || *adjustment == "reset") {
        return std::nullopt;
    }
    int64_t value = 0;
    const char* end = adjustment->data() + adjustment->size();
    const auto parsed = std::from_chars(adjustment->data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
        throw Error(ErrorCode::config_unsupported,
                    "clock adjustment '{}' is not a number of seconds",
                    *adjustment);
    }
    return value;
}

std::string base(const PlanContext& context) {
    const ClockDef& clock = context.def.clock;
    const auto shifted = [&](bool local) {
        const int64_t offset = local ? context.facts.utc_offset_s : 0;
        return timestamp(context.facts.now_s + offset + seconds(clock.adjustment).value_or(0));
    };
    switch (clock.offset) {
    case ClockOffset::utc:
        return seconds(clock.adjustment) ? shifted(false) : "utc";
    case ClockOffset::localtime:
        return seconds(clock.adjustment) ? shifted(true) : "localtime";
    case ClockOffset::timezone:
        return "localtime"; // in the zone of TZ, which build_launch sets
    case ClockOffset::variable:
        return shifted(clock.basis == ClockBasis::localtime);
    case ClockOffset::absolute:
        return timestamp(static_cast<int64_t>(clock.start.value_or(0)));
    }
    return "utc";
}

void add_rtc_timer(const TimerDef& timer, OptionText& text) {
    switch (timer.track.value_or(TimerTrack::wall)) {
    case TimerTrack::guest:
        text.add("clock", "vm");
        break;
    case TimerTrack::realtime:
        text.add("clock", "rt");
        break;
    case TimerTrack::boot:
        throw Error(ErrorCode::config_unsupported, "timer 'rtc': track 'boot' is not supported");
    case TimerTrack::wall:
        break;
    }
    switch (timer.tick_policy.value_or(TimerTickPolicy::delay)) {
    case TimerTickPolicy::delay:
        break;
    case TimerTickPolicy::catchup:
        text.add("driftfix", "slew");
        break;
    default:
        throw Error(ErrorCode::config_unsupported,
                    "timer 'rtc': tickpolicy '{}' is not supported",
                    name_of(*timer.tick_policy));
    }
}

void add_pit_timer(const PlanContext& context, const TimerDef& timer, Plan& plan) {
    if (!timer.tick_policy || !context.caps.has_type("kvm-pit")) {
        return;
    }
    switch (*timer.tick_policy) {
    case TimerTickPolicy::catchup:
        break; // what QEMU does by itself
    case TimerTickPolicy::delay:
    case TimerTickPolicy::discard:
        plan.push_back(option_step(
            "-global", fmt::format("kvm-pit.lost_tick_policy={}", name_of(*timer.tick_policy))));
        break;
    case TimerTickPolicy::merge:
        throw Error(ErrorCode::config_unsupported,
                    "timer 'pit': tickpolicy 'merge' is not supported");
    }
}

} // namespace

Plan plan_clock(const PlanContext& context) {
    OptionText rtc;
    rtc.add("base", base(context));
    Plan globals;
    for (const TimerDef& timer : context.def.clock.timers) {
        switch (timer.name) {
        case TimerName::rtc:
            add_rtc_timer(timer, rtc);
            break;
        case TimerName::pit:
            add_pit_timer(context, timer, globals);
            break;
        case TimerName::platform:
        case TimerName::armvtimer:
            throw Error(
                ErrorCode::config_unsupported, "timer '{}' is not supported", name_of(timer.name));
        default:
            break; // these are the machine's or the CPU's
        }
    }
    Plan plan;
    plan.push_back(option_step("-rtc", rtc.take()));
    append(plan, std::move(globals));
    return plan;
}

} // namespace vireo::qemu
