// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/domain_calls.hpp"

#include "libshared/error.hpp"

namespace vireo::test {

namespace {

/// A structure is passed over: its signature stands for it.
bus::Variant read_simple(sd_bus_message* message) {
    const char* contents = nullptr;
    check(sd_bus_message_peek_type(message, nullptr, &contents), "look at a value");
    if (contents == nullptr || contents[0] != '(') {
        return bus::read<bus::Variant>(message);
    }
    std::string signature = contents;
    check(sd_bus_message_skip(message, "v"), "pass over a structure");
    return bus::Variant(std::move(signature));
}

} // namespace

Values read_double_variants(sd_bus_message* message) {
    Values values;
    check(sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}"), "a dictionary");
    while (check(sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv"), "entry") >
           0) {
        auto name = bus::read<std::string>(message);
        check(sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, "v"),
              name + ": a variant in a variant");
        values.emplace(std::move(name), read_simple(message));
        check(sd_bus_message_exit_container(message), "leave the outer variant");
        check(sd_bus_message_exit_container(message), "leave the entry");
    }
    check(sd_bus_message_exit_container(message), "leave the dictionary");
    return values;
}

} // namespace vireo::test
