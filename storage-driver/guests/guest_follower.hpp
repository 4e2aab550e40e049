// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/daemon/driver_client.hpp"
#include "storage-driver/guests/followed_guest.hpp"

#include <systemd/sd-event.h>

#include <functional>
#include <set>
#include <string>

namespace vireo::storage {

/// What is known of the guests that run.
enum class GuestKnowledge {
    known,   // qemud has told all, and tells of each change
    stale,   // what qemud told before it ended: its successor has not told yet
    unknown, // nobody has asked yet
};

std::string_view name_of(GuestKnowledge knowledge);

/// Follows the guests that run, as a peer on qemud's socket: lists them once, and then takes what
/// changes from qemud's signals. It does not start a qemud for nothing: where none runs and none
/// has, no guest does; one that ended by itself said before that it had none. A qemud that was
/// killed is called back to life where systemd or the proxy listens for it, and the list is made
/// anew.
class GuestFollower {
  public:
    /// `runtime`: the folder of the drivers' sockets and locks. `changed` is called from the loop
    /// after something has changed.
    GuestFollower(Loop& loop, std::string runtime, std::function<void()> changed);
    ~GuestFollower();
    GuestFollower(const GuestFollower&) = delete;
    GuestFollower& operator=(const GuestFollower&) = delete;

    /// Connects where qemud runs, and from now on whenever it starts.
    void start();

    /// Asks a qemud that does not run, where it is not known whether guests do.
    void wake();

    /// The list is on its way.
    bool listing() const noexcept { return listing_; }

    GuestKnowledge knowledge() const noexcept { return knowledge_; }

    const FollowedGuests& guests() const noexcept { return guests_; }

    /// For calls; null where qemud is not connected. It may end at any wait.
    sd_bus* connection() const noexcept { return client_.connection(); }

    /// Holds the connection open while calls are under way.
    class Use {
      public:
        explicit Use(GuestFollower& follower) : follower_(follower) { ++follower_.uses_; }

        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

        ~Use() { --follower_.uses_; }

      private:
        GuestFollower& follower_;
    };

  private:
    static int on_lock(sd_event_source* source, const inotify_event* event, void* self) noexcept;
    static int on_retry(sd_event_source* source, uint64_t usec, void* self) noexcept;
    static int on_tell(sd_event_source* source, void* self) noexcept;
    bool qemud_runs() const;
    void connect();
    void retry_later();
    void ended();
    void take_signal(sd_bus_message* signal);
    void take_changes(const std::string& path, sd_bus_message* signal);
    Task<void> list();
    Task<void> fetch(std::string path);
    void fetched();
    void tell();

    Loop& loop_;
    std::string runtime_;
    std::function<void()> changed_;
    DriverClient client_;
    FollowedGuests guests_;
    FollowedGuests listed_; // while the list is on its way
    std::set<std::string> fetching_;
    GuestKnowledge knowledge_ = GuestKnowledge::unknown;
    bool listing_ = false;
    unsigned failures_ = 0; // connections in a row that ended before the list was there
    unsigned uses_ = 0;
    Source watch_;
    Source retry_;
    Source telling_;
    Scope tasks_;
};

} // namespace vireo::storage
