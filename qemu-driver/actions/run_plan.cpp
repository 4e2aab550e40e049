// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/run_plan.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/devices/reverse_step.hpp"

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

/// QEMU's NVMe driver waits for the controller for as long as that says that it may take, up to
/// two minutes. Source: QEMU, block/nvme.c; NVM Express specification, CAP.TO.
constexpr std::chrono::microseconds opening_limit = std::chrono::seconds(150);

Task<void> undo_step(Driver& driver, std::shared_ptr<Guest> guest, Step step) {
    const char* command = reverse_command(step);
    if (command == nullptr) {
        co_return;
    }
    const char* key = reverse_key(step);
    json arguments;
    arguments[key] = step.props.at(key);
    try {
        co_await monitor_command(driver, guest, command, std::move(arguments));
    } catch (const Error& e) {
        log::warning("guest {}: {} of {} is left behind: {}",
                     guest->id,
                     step.command,
                     step.props.at(key).dump(),
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
            const bool slow = step.props.value("driver", "") == "nvme";
            auto making = monitor_command(driver,
                                          guest,
                                          std::string(step.command),
                                          std::move(arguments),
                                          slow ? opening_limit : command_limit);
            co_await std::move(making);
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
