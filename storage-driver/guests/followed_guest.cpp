// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/guests/followed_guest.hpp"

#include "libshared/bus/codec.hpp"

#include <algorithm>
#include <string_view>

namespace vireo::storage {

namespace {

template <class T>
void take_value(sd_bus_message* message, T& value) {
    check(sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, bus::signature<T>.c_str()),
          "read a property of a domain");
    value = bus::read<T>(message);
    check(sd_bus_message_exit_container(message), "read a property of a domain");
}

void take_property(sd_bus_message* message, std::string_view name, FollowedGuest& guest) {
    if (name == "UUID") {
        take_value(message, guest.uuid);
    } else if (name == "Name") {
        take_value(message, guest.name);
    } else if (name == "MemoryMinimum") {
        take_value(message, guest.minimum);
    } else if (name == "MemoryMaximum") {
        take_value(message, guest.maximum);
    } else if (name == "MemoryStep") {
        take_value(message, guest.step);
    } else if (name == "MemoryTarget") {
        take_value(message, guest.target);
    } else if (name == "MemoryCurrent") {
        take_value(message, guest.current);
    } else if (name == "MemoryPromises") {
        take_value(message, guest.promises);
    } else {
        check(sd_bus_message_skip(message, "v"), "read a property of a domain");
    }
}

} // namespace

bool FollowedGuest::pinned() const noexcept {
    return std::ranges::any_of(promises,
                               [](const PromiseRow& row) { return std::get<5>(row) > 0; });
}

void take_properties(sd_bus_message* message, FollowedGuest& guest) {
    bus::detail::each_element(message, "{sv}", [&] {
        check(sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv"),
              "read properties of a domain");
        const std::string name = bus::read<std::string>(message);
        take_property(message, name, guest);
        check(sd_bus_message_exit_container(message), "read properties of a domain");
    });
}

std::vector<PromiseRow> sum_of_promises(const FollowedGuests& guests) {
    std::map<int32_t, PromiseRow> sums;
    for (const auto& [path, guest] : guests) {
        for (const auto& [cell, size, requested, current, balloon, locked] : guest.promises) {
            auto& [of, sizes, requests, currents, balloons, locks] = sums[cell];
            of = cell;
            sizes += size;
            requests += requested;
            currents += current;
            balloons += balloon;
            locks += locked;
        }
    }
    std::vector<PromiseRow> rows;
    for (const auto& [cell, row] : sums) {
        rows.push_back(row);
    }
    return rows;
}

} // namespace vireo::storage
