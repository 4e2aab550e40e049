// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/promised.hpp"
#include "libshared/async/queue.hpp"
#include "libshared/async/scope.hpp"
#include "storage-driver/guests/guest_follower.hpp"
#include "storage-driver/memory/pressure_watch.hpp"
#include "storage-driver/policy/memory_policy.hpp"
#include "storage-driver/policy/policy_settings.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vireo::storage {

/// Carries the memory policy out on this host: keeps its settings, watches the host's pressure and
/// the guests' statistics, lets MemoryPolicy decide and asks qemud for what was decided. While it
/// is off it does nothing at all; while it is on and no guest of it runs, it waits for one.
class MemoryGovernor {
  public:
    struct Events {
        std::function<void(std::vector<const char*> properties)> changed;
        std::function<void(const MemoryDecision& decision)> decided;
        std::function<void(const MemoryMark& mark)> marked;
    };

    /// Loads what was set. `host`: where /proc is, empty but in tests. The settings last in the
    /// folder `state`, what was learnt of guests in `runtime`, which is there.
    MemoryGovernor(Loop& loop,
                   GuestFollower& follower,
                   std::string host,
                   std::string state,
                   std::string runtime,
                   Events events);
    ~MemoryGovernor();
    MemoryGovernor(const MemoryGovernor&) = delete;
    MemoryGovernor& operator=(const MemoryGovernor&) = delete;

    /// Begins where it was on before. What keeps it from that is logged, and shows as its state.
    void start();

    const PolicySettings& settings() const noexcept { return settings_; }

    uint64_t reserve() const;

    /// It is on and works: the daemon must stay.
    bool watching() const noexcept { return pressure_ != nullptr; }

    /// "off", "watching", or "unavailable" with the reason.
    std::string state() const;

    const std::string& reason() const noexcept { return unavailable_; }

    /// What became of each guest in the last round, by UUID.
    const std::map<std::string, std::string>& conditions() const noexcept { return conditions_; }

    /// Return once the change is on disk. Throw as PressureWatch and policy_settings.hpp say; then
    /// nothing has changed.
    Task<void> enable(bool on);
    Task<void> set_reserve(uint64_t bytes);
    Task<void> set_interval(Microseconds interval);
    Task<void> set_guest(std::string uuid, GuestLimits limits);
    /// Throws no_domain where no such guest is governed.
    Task<void> remove_guest(std::string uuid);

    /// Guests that run have changed.
    void guests_changed();

  private:
    /// What a guest's balloon and the host say of it.
    struct Statistics {
        std::optional<uint64_t> usable;
        std::optional<uint64_t> resident;
        bool late = true; // nobody asks its balloon as often as it takes
    };

    /// Questions to all guests at once.
    struct Survey {
        explicit Survey(Loop& loop) : answered(loop) {}

        std::map<std::string, Statistics> by_path;
        size_t open = 0;
        Condition answered;
    };

    static int on_time(sd_event_source* source, uint64_t usec, void* self) noexcept;

    std::string settings_path() const { return folder_ + "/memory-policy.json"; }

    std::string marker_path() const { return folder_ + "/memory-policy.on"; }

    std::string marks_path() const { return runtime_ + "/memory-marks.json"; }

    void load();
    void arm();
    void disarm();
    Task<void> change(std::function<void(PolicySettings&)> edit, std::vector<const char*> names);
    void stalled();
    bool has_work() const;
    void schedule(Microseconds delay);
    Task<void> round();
    Task<void> survey_guest(std::string path, std::shared_ptr<Survey> survey);
    Task<Statistics> read_statistics(std::string path);
    Task<void> turn_statistics_on(std::string path);
    std::vector<GuestLoad> loads_from(const Survey& survey) const;
    HostLoad host_load();
    void carry_out(const MemoryRound& round);
    void take_up_marks();
    void keep_marks();
    Task<void> request(std::string path, MemoryDecision decision);

    Loop& loop_;
    GuestFollower& follower_;
    std::string host_;
    std::string folder_;
    std::string runtime_;
    Events events_;
    PolicySettings settings_;
    ChangeQueue changes_;
    MemoryPolicy policy_;
    std::vector<StandingMark> kept_marks_; // as they are in their file
    std::unique_ptr<PressureWatch> pressure_;
    std::string unavailable_;
    std::map<std::string, std::string> conditions_;
    std::set<std::string> requested_; // paths of guests whose request is under way
    std::set<std::string> turned_on_; // whose statistics were asked for
    bool stalled_ = false;
    bool in_round_ = false;
    bool again_ = false; // a stall came while a round was under way
    std::optional<Microseconds> rounded_at_;
    Source timer_;
    Scope tasks_;
};

} // namespace vireo::storage
