// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/memory_policy_interface.hpp"

#include "libshared/bus/vtable.hpp"

namespace vireo::storage {

std::vector<MemoryPolicyInterface::Guest> MemoryPolicyInterface::guests() const {
    std::vector<Guest> rows;
    for (const auto& [uuid, limits] : governor_.settings().guests) {
        rows.emplace_back(uuid, limits.minimum, limits.maximum, limits.weight);
    }
    return rows;
}

Task<void> MemoryPolicyInterface::set_interval(uint64_t usec) {
    const auto longest = static_cast<uint64_t>(Microseconds::max().count());
    return governor_.set_interval(Microseconds(static_cast<int64_t>(std::min(usec, longest))));
}

Task<void> MemoryPolicyInterface::set_guest(
    std::string uuid, uint64_t minimum, uint64_t maximum, uint32_t weight, bus::Dict options) {
    if (!options.empty()) {
        throw Error(
            ErrorCode::invalid_arg, "option '{}' of SetGuest is not known", options.front().first);
    }
    const GuestLimits limits{.minimum = minimum, .maximum = maximum, .weight = weight};
    return governor_.set_guest(std::move(uuid), limits);
}

constexpr sd_bus_vtable memory_policy_vtable[] = {
    bus::start(),
    bus::writable<&MemoryPolicyInterface::enabled, &MemoryPolicyInterface::enable>(
        "Enabled", bus::Changes::emits),
    bus::property<&MemoryPolicyInterface::state>("State", bus::Changes::emits),
    bus::property<&MemoryPolicyInterface::state_reason>("StateReason", bus::Changes::emits),
    bus::writable<&MemoryPolicyInterface::reserve, &MemoryPolicyInterface::set_reserve>(
        "Reserve", bus::Changes::emits),
    bus::writable<&MemoryPolicyInterface::interval, &MemoryPolicyInterface::set_interval>(
        "Interval", bus::Changes::emits),
    bus::property<&MemoryPolicyInterface::guests>("Guests", bus::Changes::emits),
    bus::property<&MemoryPolicyInterface::conditions>("Conditions"),
    bus::method<&MemoryPolicyInterface::set_guest,
                "uuid",
                "minimum",
                "maximum",
                "weight",
                "options">("SetGuest"),
    bus::method<&MemoryPolicyInterface::remove_guest, "uuid">("RemoveGuest"),
    bus::signal<"uuid", "from", "to", "reason">::of<std::string, uint64_t, uint64_t, std::string>(
        "Decided"),
    bus::signal<"uuid", "marked", "reason">::of<std::string, bool, std::string>("Marked"),
    bus::end(),
};

} // namespace vireo::storage
