// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/list_domains.hpp"

#include "libshared/error.hpp"

#include <array>
#include <set>
#include <string>

namespace vireo::qemu::actions {

namespace {

/// A domain, and what its object does not hold.
struct Candidate {
    const Domain& domain;
    bool has_snapshots;
};

struct Filter {
    std::uint32_t flag;
    bool (*holds)(const Candidate&);
};

bool always(const Candidate&) {
    return true;
}

bool never(const Candidate&) {
    return false;
}

template <State S>
bool in_state(const Candidate& one) {
    return one.domain.state.state == S;
}

bool in_other_state(const Candidate& one) {
    return !in_state<State::running>(one) && !in_state<State::paused>(one) &&
           !in_state<State::shutoff>(one);
}

// virConnectListAllDomainsFlags, one group a line. Of managed save images and checkpoints no domain
// has any yet.
using Group = std::array<Filter, 4>; // unused places have no flag
constexpr std::uint32_t snapshot_flags = 4096 | 8192;
constexpr std::array<Group, 7> groups{
    Group{Filter{1, [](const Candidate& one) { return one.domain.active(); }},
          Filter{2, [](const Candidate& one) { return !one.domain.active(); }}},
    Group{Filter{4, [](const Candidate& one) { return one.domain.persistent; }},
          Filter{8, [](const Candidate& one) { return !one.domain.persistent; }}},
    Group{Filter{16, &in_state<State::running>},
          Filter{32, &in_state<State::paused>},
          Filter{64, &in_state<State::shutoff>},
          Filter{128, &in_other_state}},
    Group{Filter{256, &never}, Filter{512, &always}},
    Group{Filter{1024, [](const Candidate& one) { return one.domain.autostart; }},
          Filter{2048, [](const Candidate& one) { return !one.domain.autostart; }}},
    Group{Filter{4096, [](const Candidate& one) { return one.has_snapshots; }},
          Filter{8192, [](const Candidate& one) { return !one.has_snapshots; }}},
    Group{Filter{16384, &never}, Filter{32768, &always}},
};

constexpr std::uint32_t known_flags = 65535;

bool selected(const Candidate& one, std::uint32_t flags) {
    for (const Group& group : groups) {
        bool asked = false;
        bool held = false;
        for (const Filter& filter : group) {
            if ((flags & filter.flag) != 0) {
                asked = true;
                held = held || filter.holds(one);
            }
        }
        if (asked && !held) {
            return false;
        }
    }
    return true;
}

std::set<std::string> with_snapshots(Snapshots& snapshots) {
    std::set<std::string> uuids;
    for (std::string& uuid : snapshots.domains()) {
        if (!snapshots.of(uuid).empty()) {
            uuids.insert(std::move(uuid));
        }
    }
    return uuids;
}

} // namespace

std::vector<DomainPtr> list_domains(Driver& driver, std::uint32_t flags) {
    if ((flags & ~known_flags) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}) to list domains",
                    flags & ~known_flags);
    }
    std::set<std::string> owners;
    if ((flags & snapshot_flags) != 0) {
        owners = with_snapshots(driver.snapshots);
    }
    const auto& all = driver.registry.by_names();
    std::vector<DomainPtr> domains;
    domains.reserve(all.size());
    for (const auto& [name, domain] : all) {
        // All of them, most of the time.
        if (flags == 0 || selected({*domain, owners.contains(domain->uuid)}, flags)) {
            domains.push_back(domain);
        }
    }
    return domains;
}

} // namespace vireo::qemu::actions
