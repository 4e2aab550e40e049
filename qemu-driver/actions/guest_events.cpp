// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/guest_events.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/block_jobs.hpp"
#include "qemu-driver/actions/change_medium.hpp"
#include "qemu-driver/actions/device_events.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/stop_guest.hpp"
#include "qemu-driver/actions/unplug_device.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <array>
#include <utility>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

void enter(Driver& driver, const DomainPtr& domain, StateReason state, LifecycleEvent event) {
    driver.events.set_state(*domain, state);
    driver.events.lifecycle(*domain, event);
    save_status(driver, *domain);
}

/// A guest that is to start again instead of ending: QEMU waits, since it runs with -no-shutdown.
Task<void> start_again(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const auto turn = co_await domain->changes.turn(); // who presses its power button waits
    if (domain->guest != guest) {
        co_return;
    }
    try {
        co_await guest->monitor->execute("system_reset");
        co_await guest->monitor->execute("cont");
        guest->restart = Restart::none; // its next shutdown is no reboot
        if (domain->guest == guest) {
            save_status(driver, *domain);
        }
    } catch (const Error& e) {
        log::error("domain '{}' could not be started again, ending it: {}", domain->name, e.what());
        end_guest(*guest);
    }
}

void on_shutdown(Driver& driver, const DomainPtr& domain, const json& data) {
    const std::shared_ptr<Guest> guest = domain->guest;
    if (guest->shutdown_seen) {
        return;
    }
    if (data.value("reason", "") == "host-signal") { // it ends by itself
        guest->shutdown_seen = true;
        return;
    }
    const bool by_guest = data.value("guest", false);
    handle_shutdown(
        driver, domain, by_guest ? lifecycle::shutdown_by_guest : lifecycle::shutdown_by_host);
}

void on_stop(Driver& driver, const DomainPtr& domain, const json&) {
    Guest& guest = *domain->guest;
    const bool wanted = std::exchange(guest.suspend_wanted, false);
    if (domain->state.state != State::running) {
        return; // the reason is known already: an I/O error, the watchdog, its end
    }
    enter(driver,
          domain,
          wanted ? reason::paused_by_user : reason::paused_unknown,
          lifecycle::suspended_paused);
}

void on_resume(Driver& driver, const DomainPtr& domain, const json&) {
    if (domain->state.state == State::running) {
        return;
    }
    const bool starting = domain->state == reason::starting_up;
    enter(
        driver, domain, starting ? reason::booted : reason::unpaused, lifecycle::resumed_unpaused);
}

void on_reset(Driver& driver, const DomainPtr& domain, const json&) {
    if (domain->state.state == State::crashed) {
        driver.events.set_state(*domain, reason::running_unknown);
        save_status(driver, *domain);
    }
    driver.events.device(*domain, "Reboot");
}

void on_suspend(Driver& driver, const DomainPtr& domain, const json&) {
    enter(driver, domain, reason::pmsuspended_unknown, lifecycle::pmsuspended_memory);
    driver.events.device(*domain, "PMSuspend", std::int32_t{0});
}

void on_suspend_disk(Driver& driver, const DomainPtr& domain, const json&) {
    enter(driver, domain, reason::pmsuspended_unknown, lifecycle::pmsuspended_disk);
    driver.events.device(*domain, "PMSuspendDisk", std::int32_t{0});
}

void on_wakeup(Driver& driver, const DomainPtr& domain, const json&) {
    driver.events.device(*domain, "PMWakeup", std::int32_t{0});
    if (domain->state.state == State::pmsuspended) {
        enter(driver, domain, reason::wakeup, lifecycle::started_wakeup);
    }
}

void on_panic(Driver& driver, const DomainPtr& domain, const json&) {
    handle_panic(driver, domain);
}

void on_watchdog(Driver& driver, const DomainPtr& domain, const json& data) {
    // virDomainEventWatchdogAction
    static constexpr std::array<std::string_view, 7> actions{
        "none", "pause", "reset", "poweroff", "shutdown", "debug", "inject-nmi"};
    const std::string action = data.value("action", "");
    const auto* found = std::find(actions.begin(), actions.end(), action);
    const auto number =
        found == actions.end() ? 0 : static_cast<std::int32_t>(found - actions.begin());
    driver.events.device(*domain, "Watchdog", number);
    if (action == "pause" && domain->state.state == State::running) {
        enter(driver, domain, reason::paused_watchdog, lifecycle::suspended_watchdog);
    }
}

void on_io_error(Driver& driver, const DomainPtr& domain, const json& data) {
    tell_of_io_error(driver, *domain, data);
    if (data.value("action", "") == "stop" && domain->state.state == State::running) {
        enter(driver, domain, reason::paused_io_error, lifecycle::suspended_io_error);
    }
}

struct Handler {
    std::string_view event;
    void (*handle)(Driver&, const DomainPtr&, const json&);
};

constexpr std::array handlers{
    Handler{"STOP", &on_stop},
    Handler{"RESUME", &on_resume},
    Handler{"SHUTDOWN", &on_shutdown},
    Handler{"RESET", &on_reset},
    Handler{"SUSPEND", &on_suspend},
    Handler{"SUSPEND_DISK", &on_suspend_disk},
    Handler{"WAKEUP", &on_wakeup},
    Handler{"GUEST_PANICKED", &on_panic},
    Handler{"WATCHDOG", &on_watchdog},
    Handler{"BLOCK_IO_ERROR", &on_io_error},
    Handler{"BALLOON_CHANGE", &tell_of_balloon},
    Handler{"RTC_CHANGE", &tell_of_clock},
    Handler{"DEVICE_TRAY_MOVED", &take_tray},
    Handler{"VSERPORT_CHANGE", &tell_of_agent},
    Handler{"MEMORY_DEVICE_SIZE_CHANGE", &take_memory_size},
    Handler{"DEVICE_DELETED", &take_device_deleted},
    Handler{"DEVICE_UNPLUG_GUEST_ERROR", &take_device_kept},
    Handler{"JOB_STATUS_CHANGE", &take_job_status},
    Handler{"MEM_UNPLUG_ERROR", &take_device_kept},
    Handler{"VNC_CONNECTED", &tell_of_vnc_connected},
    Handler{"VNC_INITIALIZED", &tell_of_vnc_initialized},
    Handler{"VNC_DISCONNECTED", &tell_of_vnc_disconnected},
};

} // namespace

void handle_guest_event(Driver& driver, const DomainPtr& domain, const qmp::Client::Event& event) {
    if (!domain->active()) {
        return;
    }
    for (const Handler& handler : handlers) {
        if (handler.event == event.name) {
            try {
                handler.handle(driver, domain, event.data);
            } catch (const std::exception& e) { // QEMU's data is not what its documentation says
                log::error("domain '{}': event {}: {}", domain->name, event.name, e.what());
            }
            return;
        }
    }
    log::debug("domain '{}': event {} has no meaning here", domain->name, event.name);
}

void handle_shutdown(Driver& driver, const DomainPtr& domain, LifecycleEvent event) {
    const std::shared_ptr<Guest> guest = domain->guest;
    const bool restart = guest->live->on_poweroff == LifecycleAction::restart;
    if (guest->restart != Restart::none || restart) {
        restart_guest(driver, domain);
        return;
    }
    guest->shutdown_seen = true;
    enter(driver, domain, reason::shutting_down, event);
    if (guest->live->on_poweroff != LifecycleAction::preserve) {
        end_guest(*guest);
    }
}

void handle_panic(Driver& driver, const DomainPtr& domain) {
    if (domain->state.state != State::crashed) {
        enter(driver, domain, reason::panicked, lifecycle::crashed_panicked);
    }
    switch (domain->guest->live->on_crash.value_or(LifecycleAction::destroy)) {
    case LifecycleAction::preserve:
        break;
    case LifecycleAction::restart:
    case LifecycleAction::rename_restart:
        restart_guest(driver, domain);
        break;
    case LifecycleAction::destroy:
    case LifecycleAction::coredump_destroy:
    case LifecycleAction::coredump_restart:
        end_guest(*domain->guest);
        break;
    }
}

void restart_guest(Driver& driver, const DomainPtr& domain) {
    domain->guest->restart = Restart::under_way;
    save_status(driver, *domain);
    driver.followers.spawn(start_again(driver, domain, domain->guest), "restart " + domain->name);
}

} // namespace vireo::qemu::actions
