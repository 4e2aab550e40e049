// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host_facts.hpp"

#include <algorithm>

namespace vireo::qemu {

const MachineFacts* HostFacts::find_machine(std::string_view name) const {
    const auto found = std::ranges::find_if(machines, [&](const MachineFacts& m) {
        return m.name == name || std::ranges::find(m.aliases, name) != m.aliases.end();
    });
    return found != machines.end() ? &*found : nullptr;
}

const MachineFacts* HostFacts::default_machine() const {
    const auto found = std::ranges::find_if(machines, &MachineFacts::is_default);
    return found != machines.end() ? &*found : nullptr;
}

} // namespace vireo::qemu
