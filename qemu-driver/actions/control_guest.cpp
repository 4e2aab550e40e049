// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/control_guest.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/save_status.hpp"

namespace vireo::qemu::actions {

namespace {

constexpr std::uint32_t acpi_flag = 1; // of shutdown and of reboot alike

void require_acpi(std::uint32_t flags, std::string_view what) {
    if ((flags & ~acpi_flag) != 0) {
        throw Error(ErrorCode::argument_unsupported,
                    "{}: flags {:#x} are not supported, only ACPI ({:#x}) is",
                    what,
                    flags & ~acpi_flag,
                    acpi_flag);
    }
}

Task<void> press_power_button(Driver& driver, DomainPtr domain, bool reboot) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    if (domain->state.state == State::paused) {
        throw Error(
            ErrorCode::operation_invalid,
            "domain '{}' is paused: its guest cannot answer the power button, resume it first",
            domain->name);
    }
    if (guest->restart != Restart::under_way) {
        guest->restart = reboot ? Restart::wanted : Restart::none;
        save_status(driver, *domain);
    }
    co_await monitor_command(driver, guest, "system_powerdown");
}

} // namespace

Task<void> suspend_domain(Driver& driver, DomainPtr domain) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    if (domain->state.state == State::pmsuspended) {
        throw Error(ErrorCode::operation_invalid, "domain is pmsuspended");
    }
    if (domain->state.state == State::paused) {
        co_return;
    }
    guest->suspend_wanted = true;
    co_await monitor_command(driver, guest, "stop");
}

Task<void> resume_domain(Driver& driver, DomainPtr domain) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    if (domain->state.state == State::pmsuspended) {
        throw Error(ErrorCode::operation_invalid, "domain is pmsuspended");
    }
    if (domain->state.state == State::running) {
        throw Error(ErrorCode::operation_invalid, "domain is already running");
    }
    co_await monitor_command(driver, guest, "cont");
}

Task<void> reset_domain(Driver& driver, DomainPtr domain) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    co_await monitor_command(driver, guest, "system_reset");
}

Task<void> shutdown_domain(Driver& driver, DomainPtr domain, std::uint32_t flags) {
    require_acpi(flags, "shutdown");
    co_await press_power_button(driver, std::move(domain), false);
}

Task<void> reboot_domain(Driver& driver, DomainPtr domain, std::uint32_t flags) {
    require_acpi(flags, "reboot");
    co_await press_power_button(driver, std::move(domain), true);
}

Task<void> wake_domain(Driver& driver, DomainPtr domain) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    co_await monitor_command(driver, guest, "system_wakeup");
}

Task<void> inject_nmi(Driver& driver, DomainPtr domain) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    co_await monitor_command(driver, guest, "inject-nmi");
}

} // namespace vireo::qemu::actions
