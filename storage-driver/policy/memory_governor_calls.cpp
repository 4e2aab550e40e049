// SPDX-License-Identifier: LGPL-2.1-or-later
// What the governor asks qemud.
#include "libshared/bus/call.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "storage-driver/policy/memory_governor.hpp"

#include <algorithm>
#include <ctime>

namespace vireo::storage {

using namespace std::chrono_literals;

namespace {

constexpr const char* domain_interface_of_libvirt = "org.libvirt.Domain";
constexpr uint32_t balloon_statistics = 4; // VIR_DOMAIN_STATS_BALLOON
constexpr uint32_t affect_live = 1;        // VIR_DOMAIN_AFFECT_LIVE
constexpr Microseconds statistics_limit = 5s;
constexpr Microseconds request_limit = 60s; // twice what qemud waits for QEMU

std::string libvirt_path_of(const std::string& native_path) {
    return "/org/libvirt/QEMU/domain" + native_path.substr(native_path.rfind('/'));
}

std::optional<uint64_t> number_in(const bus::Dict& record, std::string_view key) {
    const auto found = std::ranges::find(record, key, &bus::Dict::value_type::first);
    if (found == record.end() || found->second.get<uint64_t>() == nullptr) {
        return std::nullopt;
    }
    return *found->second.get<uint64_t>();
}

sd_bus* open_connection(const GuestFollower& follower) {
    if (follower.connection() == nullptr) {
        throw Error(ErrorCode::no_connect, "qemud is not connected");
    }
    return follower.connection();
}

} // namespace

Task<void> MemoryGovernor::survey_guest(std::string path, std::shared_ptr<Survey> survey) {
    const GuestFollower::Use use(follower_);
    Statistics statistics;
    try {
        statistics = co_await read_statistics(path);
        if (statistics.late && turned_on_.insert(path).second) {
            co_await turn_statistics_on(path);
        }
    } catch (const Error& e) {
        log::debug("memory policy: '{}' says nothing of its memory: {}", path, e.what());
    }
    survey->by_path.emplace(path, statistics);
    --survey->open;
    survey->answered.notify();
}

Task<MemoryGovernor::Statistics> MemoryGovernor::read_statistics(std::string path) {
    sd_bus* const connection = open_connection(follower_);
    const std::string domain = libvirt_path_of(path);
    auto question = bus::new_call(connection,
                                  "",
                                  domain,
                                  domain_interface_of_libvirt,
                                  "GetStats",
                                  balloon_statistics,
                                  uint32_t{0});
    auto asking = bus::Call(connection, std::move(question), statistics_limit);
    const bus::Message reply = co_await asking;
    const auto record = bus::read<bus::Dict>(reply.get());
    const uint64_t told_at = number_in(record, "balloon.last-update").value_or(0);
    const auto kib = number_in(record, "balloon.usable");
    const auto resident = number_in(record, "balloon.rss");
    // What it said long ago says nothing of now.
    const auto age = std::chrono::seconds(
        std::max<int64_t>(std::time(nullptr) - static_cast<int64_t>(told_at), 0));
    Statistics statistics;
    statistics.late = age > settings_.interval + 5s;
    if (kib && age <= 3 * settings_.interval + 10s) {
        statistics.usable = *kib * 1024;
    }
    if (resident) {
        statistics.resident = *resident * 1024;
    }
    co_return statistics;
}

/// QEMU asks the guest for its statistics only where somebody wants them; a guest that starts tells
/// once unasked.
Task<void> MemoryGovernor::turn_statistics_on(std::string path) {
    sd_bus* const connection = open_connection(follower_);
    const std::string domain = libvirt_path_of(path);
    const auto period = std::chrono::duration_cast<std::chrono::seconds>(settings_.interval);
    auto question = bus::new_call(connection,
                                  "",
                                  domain,
                                  domain_interface_of_libvirt,
                                  "SetMemoryStatsPeriod",
                                  static_cast<int32_t>(period.count()),
                                  affect_live);
    auto asking = bus::Call(connection, std::move(question), statistics_limit);
    co_await asking;
}

Task<void> MemoryGovernor::request(std::string path, MemoryDecision decision) {
    const GuestFollower::Use use(follower_);
    std::string failure;
    try {
        sd_bus* const connection = open_connection(follower_);
        auto call = bus::new_call(
            connection, "", path, "org.vireo.Domain1", "SetMemoryTarget", decision.to);
        auto asking = bus::Call(connection, std::move(call), request_limit);
        co_await asking;
    } catch (const Error& e) {
        failure = e.what();
    }
    requested_.erase(path);
    if (!failure.empty()) {
        log::warning("memory policy: guest {} could not be asked to have {} bytes: {}",
                     decision.guest,
                     decision.to,
                     failure);
        policy_.failed(decision.guest, loop_.now());
        keep_marks();
        events_.marked({decision.guest, true, failure});
    }
}

} // namespace vireo::storage
