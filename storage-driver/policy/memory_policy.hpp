// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/policy/memory_load.hpp"
#include "storage-driver/policy/share_out.hpp"

#include <map>
#include <string>
#include <vector>

namespace vireo::storage {

/// Numbers of the policy; those of a running daemon are these.
struct PolicyTuning {
    /// Of what a guest has, in percent, that it can still use: below `short_of` it is short,
    /// `comfort` is what it is given, above `spare` it has memory to spare. In an emergency it is
    /// left `tight`. The gaps between them keep a guest from being shrunk and grown in turn.
    unsigned short_of = 10;
    unsigned tight = 13;
    unsigned comfort = 20;
    unsigned spare = 24;
    /// What a guest has changes by this part at most with one request.
    unsigned growing_part = 4;
    unsigned shrinking_part = 8;
    unsigned emergency_part = 4; // shrinking where the host is below its reserve
    /// Less than this part is not worth a request.
    unsigned least_part = 32;
    /// ... but a step of this many bytes is always allowed.
    uint64_t least_step = 32 << 20;
    /// Between two requests to one guest.
    Microseconds request_interval = std::chrono::seconds(10);
    /// How long a guest that has grown is not shrunk, unless the host is below its reserve.
    Microseconds reversal_pause = std::chrono::seconds(60);
    /// How long the host counts as stalled after the kernel said so.
    Microseconds calm_after = std::chrono::seconds(30);
    /// How long a guest may do nothing about a request before it is marked.
    Microseconds patience = std::chrono::seconds(30);
    /// How long a mark lasts, doubled each time that it was in vain, up to the second.
    Microseconds mark_time = std::chrono::minutes(10);
    Microseconds longest_mark = std::chrono::hours(2);
    /// What a guest has used within this time, up to twice as long, it may soon use again.
    Microseconds remembered = std::chrono::minutes(5);
    /// How long what a guest was granted counts as taken, used or not.
    Microseconds settling_time = std::chrono::minutes(5);
};

/// Decides which guest is to have more memory and which less. It has no clock, no thread and no
/// chance in it: the same inputs give the same decisions, in a daemon as in a simulation.
///
/// It grows guests that are short, out of what the host has above its reserve; where that is not
/// enough, others that have memory to spare are shrunk first. It shrinks guests too where the host
/// is near its reserve or stalls, and where they have more than their maximum; below the reserve,
/// all that can give. It is shared out by weight, the smallest share first. No guest is asked to
/// have less than what it uses and a tenth more, nor less than its minimum.
class MemoryPolicy {
  public:
    explicit MemoryPolicy(PolicyTuning tuning = {}) : tuning_(tuning) {}

    /// What to do now. To be called when something may have changed, and every few seconds.
    /// Guests come in any order; what is decided comes in the order of their ids.
    MemoryRound decide(Microseconds now, const HostLoad& host, std::vector<GuestLoad> guests);

    /// A request of the last round could not be made: the guest counts as marked.
    void failed(const std::string& guest, Microseconds now);

    /// What is to outlive the daemon, in the order of the guests' ids; and back, in its successor.
    std::vector<StandingMark> marks() const;
    void take_up(const std::vector<StandingMark>& marks, Microseconds now);

  private:
    /// A request that the guest is to follow.
    struct Request {
        bool shrink;
        uint64_t to;
        uint64_t seen;      // what the guest had when it last moved
        Microseconds moved; // when that was
    };

    struct Mark {
        Microseconds until;
        unsigned times = 0; // in vain, in a row
        bool set = false;
    };

    struct Track {
        std::optional<Request> request;
        std::optional<Microseconds> requested_at;
        std::optional<Microseconds> grown_at;
        uint64_t peak = 0; // of what it used since `peak_since`, and in the time before
        uint64_t last_peak = 0;
        std::optional<Microseconds> peak_since;
        Mark keeps;   // gives nothing back
        Mark refuses; // takes nothing
    };

    /// One guest in one round.
    struct View {
        const GuestLoad& load;
        Track& track;
        uint64_t low; // what it may not fall below, and not rise above
        uint64_t high;
        uint64_t needs; // with comfort
        uint64_t want;  // the same for what it used lately
        uint64_t floor; // what it is left in an emergency
        uint64_t target;
        bool known; // its statistics are
        bool is_short;
        bool has_spare;
        bool settling; // it has grown not long ago
    };

    struct Pressure {
        bool below_reserve; // an emergency
        bool near_reserve;
        bool stalled;
    };

    struct Budget {
        uint64_t in_all;
        uint64_t at_once;
    };

    /// The host is near its reserve where it has less than this part of it above it.
    static constexpr uint64_t near_part = 4;

    uint64_t lately_used(Track& track, uint64_t used, Microseconds now) const;
    View view_of(const GuestLoad& load, Track& track, Microseconds now) const;
    static GuestCondition condition_of(const View& view);
    Pressure pressure_of(const HostLoad& host, Microseconds now) const;
    void follow_up(View& view, Microseconds now, MemoryRound& round);
    void mark(const View& view, Mark& mark, Microseconds now, std::string why, MemoryRound& round);
    uint64_t need_of(const View& view) const;
    static void expire(Mark& mark, Microseconds now, const View& view, MemoryRound& round);
    bool may_request(const View& view, Microseconds now) const;
    uint64_t largest_change(const View& view, unsigned part) const;
    uint64_t least_change(const View& view) const;
    Budget budget_of(const HostLoad& host, const std::vector<View>& views) const;
    static void limit_to_shares(const std::vector<View*>& takers,
                                uint64_t left,
                                std::vector<MemoryClaim>& claims);
    uint64_t grow(std::vector<View>& views,
                  const HostLoad& host,
                  const Pressure& pressure,
                  Microseconds now,
                  MemoryRound& round);
    void shrink(std::vector<View>& views,
                const HostLoad& host,
                const Pressure& pressure,
                uint64_t missing,
                Microseconds now,
                MemoryRound& round);
    uint64_t lowest_for(const View& view, const Pressure& pressure, Microseconds now) const;
    std::string
    reason_to_shrink(const View& view, const HostLoad& host, const Pressure& pressure) const;
    static void
    request(View& view, uint64_t to, Microseconds now, std::string why, MemoryRound& round);

    PolicyTuning tuning_;
    std::map<std::string, Track> tracks_;
    std::optional<Microseconds> stalled_at_;
};

} // namespace vireo::storage
