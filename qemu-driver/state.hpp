// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string_view>

/// A domain's state and why it is in it, with libvirt's numbers and the words of the native API.
/// Source of the numbers: virDomainState, vir*Reason and virDomainEvent* in libvirt's public
/// libvirt-domain.h.
namespace vireo::qemu {

enum class State : int {
    nostate = 0,
    running = 1,
    blocked = 2,
    paused = 3,
    shutdown = 4, // on its way down
    shutoff = 5,
    crashed = 6,
    pmsuspended = 7,
};

/// A reason means something only together with its state.
struct StateReason {
    State state;
    int reason;

    friend bool operator==(const StateReason&, const StateReason&) = default;
};

namespace reason {

inline constexpr StateReason running_unknown{State::running, 0};
inline constexpr StateReason booted{State::running, 1};
inline constexpr StateReason unpaused{State::running, 5};
inline constexpr StateReason wakeup{State::running, 8};
inline constexpr StateReason paused_unknown{State::paused, 0};
inline constexpr StateReason paused_by_user{State::paused, 1};
inline constexpr StateReason paused_io_error{State::paused, 5};
inline constexpr StateReason paused_watchdog{State::paused, 6};
inline constexpr StateReason paused_shutting_down{State::paused, 8};
inline constexpr StateReason paused_crashed{State::paused, 10};
inline constexpr StateReason starting_up{State::paused, 11};
inline constexpr StateReason shutting_down{State::shutdown, 1};
inline constexpr StateReason shutoff_unknown{State::shutoff, 0};
inline constexpr StateReason shut_down{State::shutoff, 1};
inline constexpr StateReason destroyed{State::shutoff, 2};
inline constexpr StateReason shutoff_crashed{State::shutoff, 3};
inline constexpr StateReason start_failed{State::shutoff, 6};
inline constexpr StateReason panicked{State::crashed, 1};
inline constexpr StateReason pmsuspended_unknown{State::pmsuspended, 0};

} // namespace reason

/// A guest that starts again within its QEMU instead of ending.
enum class Restart {
    none,
    wanted,    ///< its next shutdown is a reboot
    under_way, ///< it has shut down or crashed, and is being reset and resumed
};

std::string_view restart_name(Restart value) noexcept;
/// Empty where no value has that name.
std::optional<Restart> find_restart(std::string_view name) noexcept;

/// `running`, `paused`, …
std::string_view state_name(State state) noexcept;
/// `booted`, `user`, `io-error`, …; `unknown` for a number without a word.
std::string_view reason_name(StateReason value) noexcept;

/// The event of `org.libvirt.Connect.DomainEvent` and its detail.
struct LifecycleEvent {
    int event;
    int detail;

    friend bool operator==(const LifecycleEvent&, const LifecycleEvent&) = default;
};

namespace lifecycle {

inline constexpr LifecycleEvent defined_added{0, 0};
inline constexpr LifecycleEvent defined_updated{0, 1};
inline constexpr LifecycleEvent defined_renamed{0, 2};
inline constexpr LifecycleEvent undefined_removed{1, 0};
inline constexpr LifecycleEvent undefined_renamed{1, 1};
inline constexpr LifecycleEvent started_booted{2, 0};
inline constexpr LifecycleEvent started_wakeup{2, 4};
inline constexpr LifecycleEvent suspended_paused{3, 0};
inline constexpr LifecycleEvent suspended_io_error{3, 2};
inline constexpr LifecycleEvent suspended_watchdog{3, 3};
inline constexpr LifecycleEvent resumed_unpaused{4, 0};
inline constexpr LifecycleEvent stopped_shutdown{5, 0};
inline constexpr LifecycleEvent stopped_destroyed{5, 1};
inline constexpr LifecycleEvent stopped_crashed{5, 2};
inline constexpr LifecycleEvent stopped_failed{5, 5};
inline constexpr LifecycleEvent shutdown_finished{6, 0};
inline constexpr LifecycleEvent shutdown_by_guest{6, 1};
inline constexpr LifecycleEvent shutdown_by_host{6, 2};
inline constexpr LifecycleEvent pmsuspended_memory{7, 0};
inline constexpr LifecycleEvent pmsuspended_disk{7, 1};
inline constexpr LifecycleEvent crashed_panicked{8, 0};

} // namespace lifecycle

} // namespace vireo::qemu
