// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/list_domains.hpp"

#include "libshared/error.hpp"

#include <array>

namespace vireo::qemu::actions {

namespace {

struct Filter {
    std::uint32_t flag;
    bool (*holds)(const Domain&);
};

bool always(const Domain&) {
    return true;
}

bool never(const Domain&) {
    return false;
}

template <State S>
bool in_state(const Domain& domain) {
    return domain.state.state == S;
}

bool in_other_state(const Domain& domain) {
    return !in_state<State::running>(domain) && !in_state<State::paused>(domain) &&
           !in_state<State::shutoff>(domain);
}

// virConnectListAllDomainsFlags, one group a line. Of managed save images, snapshots and
// checkpoints no domain has any yet.
using Group = std::array<Filter, 4>; // unused places have no flag
constexpr std::array<Group, 7> groups{
    Group{Filter{1, [](const Domain& d) { return d.active(); }},
          Filter{2, [](const Domain& d) { return !d.active(); }}},
    Group{Filter{4, [](const Domain& d) { return d.persistent; }},
          Filter{8, [](const Domain& d) { return !d.persistent; }}},
    Group{Filter{16, &in_state<State::running>},
          Filter{32, &in_state<State::paused>},
          Filter{64, &in_state<State::shutoff>},
          Filter{128, &in_other_state}},
    Group{Filter{256, &never}, Filter{512, &always}},
    Group{Filter{1024, [](const Domain& d) { return d.autostart; }},
          Filter{2048, [](const Domain& d) { return !d.autostart; }}},
    Group{Filter{4096, &never}, Filter{8192, &always}},
    Group{Filter{16384, &never}, Filter{32768, &always}},
};

constexpr std::uint32_t known_flags = 65535;

bool selected(const Domain& domain, std::uint32_t flags) {
    for (const Group& group : groups) {
        bool asked = false;
        bool held = false;
        for (const Filter& filter : group) {
            if ((flags & filter.flag) != 0) {
                asked = true;
                held = held || filter.holds(domain);
            }
        }
        if (asked && !held) {
            return false;
        }
    }
    return true;
}

} // namespace

std::vector<DomainPtr> list_domains(const Registry& registry, std::uint32_t flags) {
    if ((flags & ~known_flags) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}) to list domains",
                    flags & ~known_flags);
    }
    std::vector<DomainPtr> domains;
    domains.reserve(registry.by_names().size());
    for (const auto& [name, domain] : registry.by_names()) {
        if (flags == 0 || selected(*domain, flags)) { // all of them, most of the time
            domains.push_back(domain);
        }
    }
    return domains;
}

} // namespace vireo::qemu::actions
