// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/authorize.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::proxy {

bool trusted(const Policy& policy, const Identity& who) noexcept {
    if (policy.session || who.uid == 0 || who.uid == policy.own) {
        return true;
    }
    return policy.group &&
           std::find(who.groups.begin(), who.groups.end(), *policy.group) != who.groups.end();
}

bool allows(Verdict verdict, std::string_view action) noexcept {
    if (verdict == Verdict::no_polkit) {
        return action.ends_with(".read");
    }
    return verdict == Verdict::granted;
}

bool lasts(Verdict verdict) noexcept {
    return verdict != Verdict::after_authentication;
}

std::string refusal(Verdict verdict, std::string_view action) {
    switch (verdict) {
    case Verdict::after_authentication:
        return fmt::format("'{}' needs authentication, and the call does not allow to ask for it: "
                           "start an authentication agent, or join the group 'libvirt'",
                           action);
    case Verdict::no_polkit:
        return fmt::format("'{}' is for root and members of the group 'libvirt': polkit, which "
                           "could grant it to others, does not answer",
                           action);
    case Verdict::denied:
    case Verdict::granted:
        break;
    }
    return fmt::format("polkit does not grant '{}' to this caller", action);
}

} // namespace vireo::proxy
