// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/run_plan.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/monitor_command.hpp"

#include <array>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

/// The command that takes back what another made, and what it names that by.
struct Reverse {
    std::string_view of;
    const char* command;
    const char* key;
};

constexpr std::array reverses{
    Reverse{"object-add", "object-del", "id"},
    Reverse{"blockdev-add", "blockdev-del", "node-name"},
    Reverse{"netdev_add", "netdev_del", "id"},
    Reverse{"chardev-add", "chardev-remove", "id"},
};

const Reverse* reverse_of(const Step& step) {
    for (const Reverse& reverse : reverses) {
        if (reverse.of == step.command) {
            return &reverse;
        }
    }
    return nullptr;
}

Task<void> undo_step(Driver& driver, std::shared_ptr<Guest> guest, Step step) {
    const Reverse* reverse = reverse_of(step);
    if (reverse == nullptr) {
        co_return;
    }
    json arguments;
    arguments[reverse->key] = step.props.at(reverse->key);
    try {
        co_await monitor_command(driver, guest, reverse->command, std::move(arguments));
    } catch (const Error& e) {
        log::warning("guest {}: {} of {} is left behind: {}",
                     guest->id,
                     step.command,
                     step.props.at(reverse->key).dump(),
                     e.what());
    }
}

} // namespace

Task<void> run_plan(Driver& driver, std::shared_ptr<Guest> guest, Plan plan) {
    Plan done;
    std::exception_ptr failure;
    for (Step& step : plan) {
        try {
            json arguments = step.props;
            co_await monitor_command(
                driver, guest, std::string(step.command), std::move(arguments));
            done.push_back(std::move(step));
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            break;
        }
    }
    if (failure) {
        co_await undo_plan(driver, guest, std::move(done));
        std::rethrow_exception(failure);
    }
}

Task<void> undo_plan(Driver& driver, std::shared_ptr<Guest> guest, Plan plan) {
    for (auto step = plan.rbegin(); step != plan.rend(); ++step) {
        co_await undo_step(driver, guest, *step);
    }
}

} // namespace vireo::qemu::actions
