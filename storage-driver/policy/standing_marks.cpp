// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/policy/standing_marks.hpp"

#include "libshared/error.hpp"

#include <nlohmann/json.hpp>

namespace vireo::storage {

using nlohmann::json;

std::string format_marks(const std::vector<StandingMark>& marks) {
    json all = json::array();
    for (const StandingMark& mark : marks) {
        json entry;
        entry["guest"] = mark.guest;
        entry["shrink"] = mark.shrink;
        entry["set"] = mark.set;
        entry["until_usec"] = mark.until.count();
        entry["times"] = mark.times;
        all.push_back(std::move(entry));
    }
    return all.dump(2) + "\n";
}

std::vector<StandingMark> parse_marks(const std::string& text) {
    try {
        std::vector<StandingMark> marks;
        for (const json& entry : json::parse(text)) {
            marks.push_back({.guest = entry.at("guest").get<std::string>(),
                             .shrink = entry.at("shrink").get<bool>(),
                             .set = entry.at("set").get<bool>(),
                             .until = Microseconds(entry.at("until_usec").get<int64_t>()),
                             .times = entry.at("times").get<unsigned>()});
        }
        return marks;
    } catch (const json::exception& e) {
        throw Error(ErrorCode::parse_failed, "no marks of the memory policy: {}", e.what());
    }
}

} // namespace vireo::storage
