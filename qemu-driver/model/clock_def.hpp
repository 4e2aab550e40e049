// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>
#include <vector>

/// `<clock>` and its timers.
namespace vireo::qemu {

enum class ClockOffset { utc, localtime, variable, timezone, absolute };
enum class ClockBasis { utc, localtime };
enum class TimerName { platform, pit, rtc, hpet, tsc, kvmclock, hypervclock, armvtimer };
enum class TimerTickPolicy { delay, catchup, merge, discard };
enum class TimerTrack { boot, guest, wall, realtime };
enum class TimerMode { auto_, native, emulate, paravirt, smpsafe };

struct TimerCatchup {
    std::optional<uint64_t> threshold;
    std::optional<uint64_t> slew;
    std::optional<uint64_t> limit;
};

struct TimerDef {
    TimerName name{};
    std::optional<YesNo> present;
    std::optional<TimerTickPolicy> tick_policy;
    std::optional<TimerTrack> track;
    std::optional<uint64_t> frequency_hz;
    std::optional<TimerMode> mode;
    std::optional<TimerCatchup> catchup;
    xml::Where where;
};

struct ClockDef {
    ClockOffset offset{};
    /// variable: seconds off the basis. utc and localtime: `reset`, or seconds, kept as text.
    std::optional<std::string> adjustment;
    std::optional<ClockBasis> basis;
    /// timezone: a zone's name.
    std::optional<std::string> timezone;
    /// absolute: seconds since the epoch.
    std::optional<uint64_t> start;
    std::vector<TimerDef> timers;
    xml::Where where;
};

const xml::Type& describe(const ClockDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::ClockOffset> {
    static constexpr std::array<std::string_view, 5> names{
        "utc", "localtime", "variable", "timezone", "absolute"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ClockBasis> {
    static constexpr std::array<std::string_view, 2> names{"utc", "localtime"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TimerName> {
    static constexpr std::array<std::string_view, 8> names{
        "platform", "pit", "rtc", "hpet", "tsc", "kvmclock", "hypervclock", "armvtimer"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TimerTickPolicy> {
    static constexpr std::array<std::string_view, 4> names{"delay", "catchup", "merge", "discard"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TimerTrack> {
    static constexpr std::array<std::string_view, 4> names{"boot", "guest", "wall", "realtime"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TimerMode> {
    static constexpr std::array<std::string_view, 5> names{
        "auto", "native", "emulate", "paravirt", "smpsafe"};
};
