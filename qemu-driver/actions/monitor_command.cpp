// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/monitor_command.hpp"

#include "libshared/async/deadline.hpp"

namespace vireo::qemu::actions {

std::shared_ptr<Guest> active_guest(const Domain& domain) {
    if (!domain.guest) {
        throw Error(ErrorCode::operation_invalid, "domain is not running");
    }
    if (!domain.guest->monitor) {
        throw Error(ErrorCode::operation_invalid, "domain is not running yet: it starts");
    }
    return domain.guest;
}

Task<nlohmann::json> monitor_command(Driver& driver,
                                     std::shared_ptr<Guest> guest,
                                     std::string command,
                                     nlohmann::json arguments,
                                     std::chrono::microseconds limit) {
    std::string what = fmt::format("QEMU's command '{}'", command);
    auto running = guest->monitor->execute(std::move(command), std::move(arguments));
    co_return co_await Deadline(driver.ctx.loop, std::move(running), limit, std::move(what));
}

} // namespace vireo::qemu::actions
