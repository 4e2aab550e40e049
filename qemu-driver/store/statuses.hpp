// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/block_job.hpp"
#include "qemu-driver/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::qemu {

/// What a restarted daemon must know of an active guest to find it again and go on with it.
struct GuestStatus {
    std::string uuid;
    std::string name;
    std::uint32_t id = 0;
    bool starting = false; // its start was not finished: nobody has been told of it
    bool persistent = false;
    bool updated = false;
    StateReason state = reason::starting_up;
    bool shutdown_seen = false;
    Restart restart = Restart::none;
    bool destroy_wanted = false;
    std::string
        autodestroy; // the client with which it ends: its bus name, or "direct"; empty: none
    std::vector<BlockJob> jobs;
    std::string live_xml;

    friend bool operator==(const GuestStatus&, const GuestStatus&) = default;
};

/// The status files of active guests, one folder for each guest: `ID/status.json` beside its
/// sockets and its pid. They end with the boot, so they are replaced as a whole but not synced.
class Statuses {
  public:
    explicit Statuses(const std::string& runtime);

    /// The folder of a guest: short, since sockets lie in it.
    std::string folder_of(std::uint32_t id) const;

    /// The number that next_id() would give, without taking it.
    std::uint32_t coming_id() const { return last_id_ + 1; }

    /// A number that no guest of this boot has had.
    std::uint32_t next_id();

    void make_folder(std::uint32_t id) const;
    void save(const GuestStatus& status) const;
    /// Removes the folder with all that is in it.
    void remove(std::uint32_t id) const noexcept;
    /// Every guest there is a folder for. A folder without a status that can be read is logged and
    /// removed: its guest was never started.
    std::vector<GuestStatus> load();

    /// The pid that the guest's process wrote before it became QEMU.
    std::string pid_file_of(std::uint32_t id) const { return folder_of(id) + "/pid"; }

    std::string monitor_of(std::uint32_t id) const { return folder_of(id) + "/monitor.sock"; }

    /// True once in a boot: the first time that it is asked.
    bool first_of_boot() const;

  private:
    std::string folder_;
    std::uint32_t last_id_ = 0;
};

/// The number of the guest that was started last below the folder `runtime`; 0 before the first.
std::uint32_t last_guest_id(const std::string& runtime);
/// Where the status of a guest is, and its sockets.
std::string guest_folder(const std::string& runtime, std::uint32_t id);

std::string format_status(const GuestStatus& status);
/// Throws parse_failed naming what is wrong.
GuestStatus parse_status(const std::string& text);

} // namespace vireo::qemu
