// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/policy/memory_governor.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "storage-driver/memory/meminfo.hpp"
#include "storage-driver/policy/standing_marks.hpp"

namespace vireo::storage {

using namespace std::chrono_literals;

namespace {

constexpr uint64_t bytes_per_kib = 1024;
/// Two rounds are never closer than this, however often the kernel says that tasks wait.
constexpr Microseconds shortest_pause = 1s;

uint64_t host_bytes(const std::string& host, std::string_view key) {
    const std::string path = host + "/proc/meminfo";
    const auto kib = find_kib(read_file(path), key);
    if (!kib) {
        throw Error(ErrorCode::internal, "no {} in '{}'", key, path);
    }
    return *kib * bytes_per_kib;
}

} // namespace

MemoryGovernor::MemoryGovernor(Loop& loop,
                               GuestFollower& follower,
                               std::string host,
                               std::string state,
                               std::string runtime,
                               Events events)
    : loop_(loop),
      follower_(follower),
      host_(std::move(host)),
      folder_(std::move(state)),
      runtime_(std::move(runtime)),
      events_(std::move(events)),
      changes_(loop),
      tasks_(loop) {
    load();
}

MemoryGovernor::~MemoryGovernor() {
    tasks_.close();
}

void MemoryGovernor::load() {
    make_folders(folder_);
    remove_unfinished(folder_);
    try {
        if (const auto text = read_file_if_exists(settings_path())) {
            settings_ = parse_settings(*text);
        }
    } catch (const Error& e) {
        unavailable_ = fmt::format("'{}' cannot be used: {}", settings_path(), e.what());
        log::error("the memory policy is off: {}", unavailable_);
    }
}

void MemoryGovernor::start() {
    if (!settings_.enabled) {
        return;
    }
    try {
        arm();
        log::info("the memory policy is on, for {} guests", settings_.guests.size());
    } catch (const Error& e) {
        unavailable_ = e.what();
        log::error("the memory policy is on and cannot work: {}", e.what());
    }
}

void MemoryGovernor::arm() {
    pressure_ = std::make_unique<PressureWatch>(
        loop_,
        host_,
        [this] { stalled(); },
        [this](const std::string& why) {
            unavailable_ = why;
            log::error("the memory policy stops: {}", why);
            timer_.reset();
            events_.changed({"State", "StateReason"});
        });
    unavailable_.clear();
    take_up_marks();
    follower_.wake();
    guests_changed();
}

void MemoryGovernor::take_up_marks() {
    try {
        if (const auto text = read_file_if_exists(marks_path())) {
            kept_marks_ = parse_marks(*text);
            policy_.take_up(kept_marks_, loop_.now());
        }
    } catch (const Error& e) {
        log::warning("memory policy: '{}' is passed over: {}", marks_path(), e.what());
    }
}

void MemoryGovernor::keep_marks() {
    std::vector<StandingMark> marks = policy_.marks();
    if (marks == kept_marks_) {
        return;
    }
    try {
        write_file(marks_path(), format_marks(marks));
        kept_marks_ = std::move(marks);
    } catch (const Error& e) {
        log::error("memory policy: the marks of guests cannot be kept: {}", e.what());
    }
}

void MemoryGovernor::disarm() {
    timer_.reset();
    pressure_.reset();
    unavailable_.clear();
    conditions_.clear();
    policy_ = MemoryPolicy();
    keep_marks();
    stalled_ = false;
}

uint64_t MemoryGovernor::reserve() const {
    return settings_.reserve ? *settings_.reserve : default_reserve(host_bytes(host_, "MemTotal"));
}

std::string MemoryGovernor::state() const {
    if (!unavailable_.empty()) {
        return "unavailable";
    }
    return watching() ? "watching" : "off";
}

Task<void> MemoryGovernor::change(std::function<void(PolicySettings&)> edit,
                                  std::vector<const char*> names) {
    const auto turn = co_await changes_.turn();
    PolicySettings settings = settings_;
    edit(settings);
    std::string text = format_settings(settings);
    co_await save_file(loop_, settings_path(), std::move(text));
    settings_ = std::move(settings);
    events_.changed(std::move(names));
    guests_changed();
}

/// The file that says that it is on is for systemd, which starts this daemon with the host then.
Task<void> MemoryGovernor::enable(bool on) {
    if (on && !watching()) {
        arm();
    }
    std::exception_ptr failure;
    try {
        std::function<void(PolicySettings&)> edit = [on](PolicySettings& s) { s.enabled = on; };
        std::vector<const char*> names{"Enabled", "State", "StateReason"};
        if (on) {
            co_await change(std::move(edit), std::move(names));
            co_await save_file(loop_, marker_path(), "");
        } else {
            co_await delete_file(loop_, marker_path());
            co_await change(std::move(edit), std::move(names));
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (!settings_.enabled && state() != "off") {
        disarm();
        events_.changed({"State", "StateReason"});
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    log::info("the memory policy is {}", on ? "on" : "off");
}

Task<void> MemoryGovernor::set_reserve(uint64_t bytes) {
    const uint64_t total = host_bytes(host_, "MemTotal");
    if (bytes >= total) {
        throw Error(ErrorCode::invalid_arg,
                    "a reserve of {} bytes leaves nothing of the host's {}",
                    bytes,
                    total);
    }
    std::function<void(PolicySettings&)> edit = [bytes](PolicySettings& s) { s.reserve = bytes; };
    std::vector<const char*> names{"Reserve"};
    co_await change(std::move(edit), std::move(names));
}

Task<void> MemoryGovernor::set_interval(Microseconds interval) {
    check_interval(interval);
    std::function<void(PolicySettings&)> edit = [interval](PolicySettings& s) {
        s.interval = interval;
    };
    std::vector<const char*> names{"Interval"};
    co_await change(std::move(edit), std::move(names));
}

Task<void> MemoryGovernor::set_guest(std::string uuid, GuestLimits limits) {
    check_limits(limits);
    const std::string usual = checked_uuid(uuid);
    std::function<void(PolicySettings&)> edit = [usual, limits](PolicySettings& s) {
        s.guests.insert_or_assign(usual, limits);
    };
    std::vector<const char*> names{"Guests"};
    co_await change(std::move(edit), std::move(names));
}

Task<void> MemoryGovernor::remove_guest(std::string uuid) {
    const std::string usual = checked_uuid(uuid);
    std::function<void(PolicySettings&)> edit = [usual](PolicySettings& s) {
        if (s.guests.erase(usual) == 0) {
            throw Error(ErrorCode::no_domain, "the memory policy has no guest '{}'", usual);
        }
    };
    std::vector<const char*> names{"Guests"};
    co_await change(std::move(edit), std::move(names));
}

bool MemoryGovernor::has_work() const {
    if (!pressure_ || !unavailable_.empty()) {
        return false;
    }
    for (const auto& [path, guest] : follower_.guests()) {
        if (settings_.guests.contains(guest.uuid)) {
            return true;
        }
    }
    return false;
}

void MemoryGovernor::guests_changed() {
    const auto gone = [&](const std::string& path) { return !follower_.guests().contains(path); };
    std::erase_if(turned_on_, gone);
    std::erase_if(requested_, gone);
    if (!has_work()) {
        timer_.reset();
        conditions_.clear();
    } else if (!timer_ && !in_round_) {
        schedule(shortest_pause);
    }
}

void MemoryGovernor::stalled() {
    log::debug("memory policy: tasks of the host wait for memory");
    stalled_ = true;
    again_ = in_round_;
    if (has_work() && !in_round_) {
        const Microseconds since = rounded_at_ ? loop_.now() - *rounded_at_ : shortest_pause;
        schedule(std::max(shortest_pause - since, Microseconds(0)));
    }
}

void MemoryGovernor::schedule(Microseconds delay) {
    sd_event_source* source = nullptr;
    check(sd_event_add_time_relative(
              loop_.get(), &source, CLOCK_MONOTONIC, to_usec(delay), 1, &on_time, this),
          "add a timer");
    timer_.reset(source);
}

int MemoryGovernor::on_time(sd_event_source*, uint64_t, void* context) noexcept {
    auto& self = *static_cast<MemoryGovernor*>(context);
    self.timer_.reset();
    try {
        self.in_round_ = true;
        self.tasks_.spawn(self.round(), "memory policy");
    } catch (const std::exception& e) {
        self.in_round_ = false;
        log::error("memory policy: {}", e.what());
    }
    return 0;
}

Task<void> MemoryGovernor::round() {
    try {
        const auto survey = std::make_shared<Survey>(loop_);
        for (const auto& [path, guest] : follower_.guests()) {
            if (settings_.guests.contains(guest.uuid)) {
                ++survey->open;
                tasks_.spawn(survey_guest(path, survey), "ask a guest");
            }
        }
        while (survey->open > 0) {
            co_await survey->answered.next();
        }
        if (pressure_ && follower_.knowledge() == GuestKnowledge::known) {
            const HostLoad host = host_load();
            carry_out(policy_.decide(loop_.now(), host, loads_from(*survey)));
        }
    } catch (const Error& e) {
        log::error("memory policy: {}", e.what());
    }
    in_round_ = false;
    rounded_at_ = loop_.now();
    if (has_work()) {
        schedule(std::exchange(again_, false) ? shortest_pause : settings_.interval);
    }
}

HostLoad MemoryGovernor::host_load() {
    return {.available = host_bytes(host_, "MemAvailable"),
            .reserve = reserve(),
            .stalled = std::exchange(stalled_, false)};
}

std::vector<GuestLoad> MemoryGovernor::loads_from(const Survey& survey) const {
    std::vector<GuestLoad> loads;
    for (const auto& [path, statistics] : survey.by_path) {
        const auto found = follower_.guests().find(path);
        const auto limits = found == follower_.guests().end()
                                ? settings_.guests.end()
                                : settings_.guests.find(found->second.uuid);
        if (limits == settings_.guests.end()) {
            continue; // it has ended meanwhile, or is governed no more
        }
        const FollowedGuest& guest = found->second;
        loads.push_back(
            {.id = guest.uuid,
             .limits = limits->second,
             .least = guest.minimum,
             .most = guest.maximum,
             .step = requested_.contains(path) ? 0 : guest.step,
             .target = guest.target,
             .current = guest.current,
             .resident = std::min(statistics.resident.value_or(guest.current), guest.current),
             .usable = statistics.usable,
             .pinned = guest.pinned()});
    }
    return loads;
}

void MemoryGovernor::carry_out(const MemoryRound& round) {
    conditions_.clear();
    for (const auto& [uuid, condition] : round.conditions) {
        conditions_.emplace(uuid, name_of(condition));
    }
    for (const MemoryMark& mark : round.marks) {
        log::info("memory policy: guest {} is {}: {}",
                  mark.guest,
                  mark.set ? "marked" : "marked no more",
                  mark.reason);
        events_.marked(mark);
    }
    keep_marks();
    for (const MemoryDecision& decision : round.decisions) {
        for (const auto& [path, guest] : follower_.guests()) {
            if (guest.uuid == decision.guest) {
                log::info("memory policy: guest '{}' ({}) is to have {} KiB, not {}: {}",
                          guest.name,
                          guest.uuid,
                          decision.to / bytes_per_kib,
                          decision.from / bytes_per_kib,
                          decision.reason);
                requested_.insert(path);
                tasks_.spawn(request(path, decision), "ask a guest for memory");
            }
        }
        events_.decided(decision);
    }
}

} // namespace vireo::storage
