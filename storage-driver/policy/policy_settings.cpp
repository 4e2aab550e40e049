// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/policy/policy_settings.hpp"

#include "libshared/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace vireo::storage {

namespace {

using nlohmann::json;

constexpr uint64_t gib = 1 << 30;
constexpr uint64_t most_bytes = uint64_t{1} << 50; // sums of many stay far from 64 bits
constexpr uint32_t most_weight = 10'000;
constexpr Microseconds shortest_interval = std::chrono::seconds(1);
constexpr Microseconds longest_interval = std::chrono::hours(1);

} // namespace

uint64_t default_reserve(uint64_t total) {
    return std::clamp(total / 16, 256 * bytes_per_mib, 16 * gib);
}

std::string checked_uuid(const std::string& uuid) {
    std::string usual = uuid;
    bool right = uuid.size() == 36;
    for (size_t i = 0; right && i < usual.size(); ++i) {
        const auto letter = static_cast<unsigned char>(usual[i]);
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        right = hyphen ? letter == '-' : std::isxdigit(letter) != 0;
        usual[i] = static_cast<char>(std::tolower(letter));
    }
    if (!right) {
        throw Error(ErrorCode::invalid_arg, "'{}' is not a UUID (8-4-4-4-12 hexadecimal)", uuid);
    }
    return usual;
}

void check_limits(const GuestLimits& limits) {
    if (limits.maximum == 0 || limits.minimum > limits.maximum) {
        throw Error(ErrorCode::invalid_arg,
                    "a guest's maximum of {} bytes is less than its minimum of {}, or none",
                    limits.maximum,
                    limits.minimum);
    }
    if (limits.maximum > most_bytes) {
        throw Error(ErrorCode::invalid_arg,
                    "a guest's maximum of {} bytes is more than {}",
                    limits.maximum,
                    most_bytes);
    }
    if (limits.weight == 0 || limits.weight > most_weight) {
        throw Error(ErrorCode::invalid_arg,
                    "a guest's weight of {} is not between 1 and {}",
                    limits.weight,
                    most_weight);
    }
}

void check_interval(Microseconds interval) {
    if (interval < shortest_interval || interval > longest_interval) {
        throw Error(ErrorCode::invalid_arg,
                    "an interval of {} µs is not between 1 s and 1 h",
                    interval.count());
    }
}

std::string format_settings(const PolicySettings& settings) {
    json guests = json::object();
    for (const auto& [uuid, limits] : settings.guests) {
        json& guest = guests[uuid];
        guest["minimum"] = limits.minimum;
        guest["maximum"] = limits.maximum;
        guest["weight"] = limits.weight;
    }
    json all;
    all["enabled"] = settings.enabled;
    if (settings.reserve) {
        all["reserve"] = *settings.reserve;
    }
    all["interval_usec"] = settings.interval.count();
    all["guests"] = std::move(guests);
    return all.dump(2) + "\n";
}

PolicySettings parse_settings(const std::string& text) {
    try {
        const json all = json::parse(text);
        PolicySettings settings;
        settings.enabled = all.at("enabled").get<bool>();
        if (all.contains("reserve")) {
            settings.reserve = all.at("reserve").get<uint64_t>();
        }
        settings.interval = Microseconds(all.at("interval_usec").get<int64_t>());
        check_interval(settings.interval);
        for (const auto& [uuid, guest] : all.at("guests").items()) {
            const GuestLimits limits{.minimum = guest.at("minimum").get<uint64_t>(),
                                     .maximum = guest.at("maximum").get<uint64_t>(),
                                     .weight = guest.at("weight").get<uint32_t>()};
            check_limits(limits);
            settings.guests.insert_or_assign(checked_uuid(uuid), limits);
        }
        return settings;
    } catch (const json::exception& e) {
        throw Error(ErrorCode::parse_failed, "settings of the memory policy: {}", e.what());
    }
}

} // namespace vireo::storage
