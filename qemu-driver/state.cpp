// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/state.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace vireo::qemu {

namespace {

constexpr std::array<std::string_view, 8> states{
    "nostate", "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "pmsuspended"};
constexpr std::array<std::string_view, 11> running_reasons{"unknown",
                                                           "booted",
                                                           "migrated",
                                                           "restored",
                                                           "from-snapshot",
                                                           "unpaused",
                                                           "migration-canceled",
                                                           "save-canceled",
                                                           "wakeup",
                                                           "crashed",
                                                           "post-copy"};
constexpr std::array<std::string_view, 14> paused_reasons{"unknown",
                                                          "user",
                                                          "migration",
                                                          "save",
                                                          "dump",
                                                          "io-error",
                                                          "watchdog",
                                                          "from-snapshot",
                                                          "shutting-down",
                                                          "snapshot",
                                                          "crashed",
                                                          "starting-up",
                                                          "post-copy",
                                                          "post-copy-failed"};
constexpr std::array<std::string_view, 2> shutdown_reasons{"unknown", "user"};
constexpr std::array<std::string_view, 9> shutoff_reasons{"unknown",
                                                          "shutdown",
                                                          "destroyed",
                                                          "crashed",
                                                          "migrated",
                                                          "saved",
                                                          "failed",
                                                          "from-snapshot",
                                                          "daemon"};
constexpr std::array<std::string_view, 2> crashed_reasons{"unknown", "panicked"};
constexpr std::array<std::string_view, 3> restarts{"none", "wanted", "under-way"};

std::span<const std::string_view> reasons_of(State state) noexcept {
    switch (state) {
    case State::running:
        return running_reasons;
    case State::paused:
        return paused_reasons;
    case State::shutdown:
        return shutdown_reasons;
    case State::shutoff:
        return shutoff_reasons;
    case State::crashed:
        return crashed_reasons;
    case State::nostate:
    case State::blocked:
    case State::pmsuspended:
        break;
    }
    return {};
}

} // namespace

std::string_view restart_name(Restart value) noexcept {
    return restarts[static_cast<std::size_t>(value)];
}

std::optional<Restart> find_restart(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(restarts, name);
    return found == restarts.end() ? std::nullopt
                                   : std::optional(static_cast<Restart>(found - restarts.begin()));
}

std::string_view state_name(State state) noexcept {
    return states[static_cast<std::size_t>(state)];
}

std::string_view reason_name(StateReason value) noexcept {
    const auto names = reasons_of(value.state);
    const auto number = static_cast<std::size_t>(value.reason);
    return number < names.size() ? names[number] : "unknown";
}

} // namespace vireo::qemu
