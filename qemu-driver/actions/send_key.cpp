// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/send_key.hpp"

#include "qemu-driver/actions/key_codes.hpp"
#include "qemu-driver/actions/monitor_command.hpp"

namespace vireo::qemu::actions {

using nlohmann::json;

json send_key_arguments(const KeyPress& press) {
    constexpr std::size_t most_keys = 16; // VIR_DOMAIN_SEND_KEY_MAX_KEYS
    if (press.codes.empty() || press.codes.size() > most_keys) {
        throw Error(ErrorCode::invalid_arg,
                    "keycodes: {} keys to press together, expected 1 to {}",
                    press.codes.size(),
                    most_keys);
    }
    json keys = json::array();
    for (const std::uint32_t code : press.codes) {
        json key;
        key["type"] = "number";
        key["data"] = qemu_key_number(press.set, code);
        keys.push_back(std::move(key));
    }
    json arguments;
    arguments["keys"] = std::move(keys);
    if (press.hold_ms > 0) {
        arguments["hold-time"] = press.hold_ms;
    }
    return arguments;
}

Task<void> send_key(Driver& driver, DomainPtr domain, KeyPress press) {
    json arguments = send_key_arguments(press);
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    co_await monitor_command(driver, guest, "send-key", std::move(arguments));
}

} // namespace vireo::qemu::actions
