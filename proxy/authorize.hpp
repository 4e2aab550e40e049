// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Who may do what: the decisions, as pure functions. Clients (clients.hpp) gathers the facts.
namespace vireo::proxy {

/// Who a caller is, as the message bus knows it.
struct Identity {
    uid_t uid = static_cast<uid_t>(-1); // unknown: nobody in particular
    std::vector<gid_t> groups;
};

/// Whom this instance trusts without asking.
struct Policy {
    bool session = false;       // everything on this bus is the user's own
    uid_t own = 0;              // the user who runs the daemons
    std::optional<gid_t> group; // the members of this group, `libvirt`, where it exists
};

/// Whether this caller may do everything: anyone in session mode, root, the daemons' own user,
/// members of the group. Anyone else is asked for through polkit, action by action.
bool trusted(const Policy& policy, const Identity& who) noexcept;

/// What polkit answered, or that it could not be asked.
enum class Verdict { granted, denied, after_authentication, no_polkit };

/// Whether the verdict lets a call of that action pass. Without polkit only reading is allowed.
bool allows(Verdict verdict, std::string_view action) noexcept;

/// Whether the verdict stands for the next call too. One that asks for a password does not: the
/// next caller may be able to ask for it.
bool lasts(Verdict verdict) noexcept;

/// Why a call is refused, for the caller.
std::string refusal(Verdict verdict, std::string_view action);

} // namespace vireo::proxy
