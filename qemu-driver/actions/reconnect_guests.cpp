// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/reconnect_guests.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/attach_monitor.hpp"
#include "qemu-driver/actions/block_jobs.hpp"
#include "qemu-driver/actions/guest_events.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/actions/stop_guest.hpp"
#include "qemu-driver/actions/unplug_device.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/launch/helpers.hpp"
#include "qemu-driver/launch/memory_folders.hpp"
#include "qemu-driver/qmp/monitor_socket.hpp"

#include <charconv>
#include <csignal>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto answer_limit = 30s;

/// The process that wrote its pid before it became QEMU. Empty where it has ended.
std::optional<Process> process_of(const Driver& driver, const GuestStatus& status) {
    const auto text = read_file_if_exists(driver.statuses.pid_file_of(status.id)).value_or("");
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    if (pid <= 0) {
        return std::nullopt;
    }
    // A pid may have been given to another process since: QEMU's command line names its guest.
    const auto command_line =
        read_file_if_exists(fmt::format("/proc/{}/cmdline", pid)).value_or("");
    auto process = Process::open(pid);
    if (!process || command_line.find(status.uuid) == std::string::npos) {
        return std::nullopt;
    }
    return process;
}

/// `query-status` of QEMU: "running", "paused", "shutdown", "guest-panicked", "suspended", …
/// Source: QEMU QMP reference, RunState.
StateReason state_of(const std::string& run_state, StateReason known) {
    if (run_state == "running") {
        return known.state == State::running ? known : reason::running_unknown;
    }
    if (run_state == "shutdown") {
        return reason::shutting_down;
    }
    if (run_state == "guest-panicked") {
        return reason::panicked;
    }
    if (run_state == "suspended") {
        return reason::pmsuspended_unknown;
    }
    if (run_state == "io-error") {
        return reason::paused_io_error;
    }
    if (run_state == "watchdog") {
        return reason::paused_watchdog;
    }
    return known.state == State::paused ? known : reason::paused_unknown;
}

/// The event that a client missed between two states.
std::optional<LifecycleEvent> missed_event(StateReason from, StateReason to) {
    if (from.state == to.state) {
        return std::nullopt;
    }
    switch (to.state) {
    case State::running:
        return lifecycle::resumed_unpaused;
    case State::paused:
        if (to == reason::paused_io_error) {
            return lifecycle::suspended_io_error;
        }
        return to == reason::paused_watchdog ? lifecycle::suspended_watchdog
                                             : lifecycle::suspended_paused;
    case State::crashed:
        return lifecycle::crashed_panicked;
    case State::pmsuspended:
        return lifecycle::pmsuspended_memory;
    case State::nostate:
    case State::blocked:
    case State::shutdown:
    case State::shutoff:
        break;
    }
    return std::nullopt;
}

/// Goes on with a guest from what QEMU says of it. Its events are handled meanwhile: what they have
/// begun already is theirs.
Task<void> take_up(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const bool left_restarting = guest->restart == Restart::under_way;
    auto greeting = guest->monitor->negotiate();
    co_await Deadline(driver.ctx.loop, std::move(greeting), answer_limit, "QEMU's greeting");
    co_await refresh_memory_devices(driver, domain, guest);
    co_await refresh_devices(driver, domain, guest);
    co_await refresh_block_jobs(driver, domain, guest);
    const json status = co_await monitor_command(driver, guest, "query-status");
    const StateReason known = domain->state;
    const StateReason now = state_of(status.at("status").get<std::string>(), known);
    if (left_restarting && now.state != State::running) {
        restart_guest(driver, domain);
        co_return;
    }
    if (left_restarting) { // it was not written down any more that it had started
        guest->restart = Restart::none;
    }
    if (guest->restart == Restart::under_way) {
        co_return;
    }
    if (now.state == State::shutdown && !guest->shutdown_seen) {
        handle_shutdown(driver, domain, lifecycle::shutdown_finished);
        co_return;
    }
    if (now.state == State::crashed) {
        handle_panic(driver, domain);
        co_return;
    }
    driver.events.set_state(*domain, now);
    if (const auto event = missed_event(known, now)) {
        driver.events.lifecycle(*domain, *event);
    }
    save_status(driver, *domain);
    if (guest->shutdown_seen && guest->live->on_poweroff != LifecycleAction::preserve) {
        end_guest(*guest); // told of already, and perhaps not ended
    }
}

/// The guest's changes wait until its state is known.
Task<void> take_up_in_turn(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const auto turn = co_await domain->changes.turn();
    try {
        co_await take_up(driver, domain, guest);
    } catch (const Error& e) {
        log::error("domain '{}': its QEMU does not answer: {}", domain->name, e.what());
    }
}

/// Its process may be between fork and its pid file, or already QEMU: it holds the monitor's socket
/// either way, so `quit` reaches it as soon as it is QEMU.
Task<void> quit_unfinished(Driver& driver, GuestStatus status, Fd socket) {
    qmp::Client monitor(
        driver.ctx.loop, std::move(socket), [](const auto&) {}, [] {}, status.name);
    try {
        auto greeting = monitor.negotiate();
        co_await Deadline(driver.ctx.loop, std::move(greeting), answer_limit, "QEMU's greeting");
        auto quitting = monitor.execute("quit");
        co_await Deadline(driver.ctx.loop, std::move(quitting), answer_limit, "'quit'");
    } catch (const Error& e) {
        log::debug("domain '{}': its unfinished start is gone: {}", status.name, e.what());
    }
    driver.statuses.remove(status.id);
}

void remove_memory_of(Driver& driver, const GuestStatus& status) {
    try {
        Guest guest(driver.ctx.loop);
        guest.id = status.id;
        guest.live = std::make_shared<const DomainDef>(parse_live(status.live_xml));
        remove_memory_folders(launch_facts(driver, guest));
    } catch (const Error& e) {
        log::warning("domain '{}': folders of its memory may be left: {}", status.name, e.what());
    }
}

/// Devices of the host that it had taken go back with its process: nodedevd sees to that.
void end_unfinished(Driver& driver, const GuestStatus& status) {
    log::warning("domain '{}': its start was not finished, ending what there is of it",
                 status.name);
    remove_memory_of(driver, status);
    for (const Process& helper : running_helpers(driver.statuses.folder_of(status.id))) {
        helper.kill(SIGTERM);
    }
    if (const auto process = process_of(driver, status)) {
        process->kill(SIGKILL);
    } else if (Fd socket = qmp::connect_to_monitor(driver.statuses.monitor_of(status.id))) {
        driver.followers.spawn(quit_unfinished(driver, status, std::move(socket)),
                               "end " + status.name);
        return;
    }
    driver.statuses.remove(status.id);
}

/// The client that asked for it is not waiting any more.
Task<void> go_on_destroying(Driver& driver, DomainPtr domain) {
    try {
        co_await destroy_domain(driver, domain, false);
    } catch (const Error& e) {
        log::error("domain '{}': {}", domain->name, e.phrased());
    }
}

DomainPtr domain_of(Driver& driver, const GuestStatus& status) {
    DomainPtr domain = driver.registry.find_uuid(status.uuid);
    if (!domain) {
        domain = std::make_shared<Domain>(driver.ctx.loop, status.uuid, status.name);
        driver.registry.add(domain);
    }
    return domain;
}

void end_meanwhile_now(Driver& driver, const DomainPtr& domain) {
    const End end = end_of(*domain, *domain->guest);
    log::info("domain '{}': its QEMU has ended meanwhile", domain->name);
    make_inactive(driver, domain, end.state, end.event);
}

/// The same for one that has devices of the host, which go back first.
Task<void> end_meanwhile(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    std::vector<HostFunction> functions = host_functions(*guest->live);
    co_await release_functions(driver, domain->uuid, std::move(functions));
    end_meanwhile_now(driver, domain);
    guest->ended.notify();
}

void reconnect(Driver& driver, const GuestStatus& status) {
    if (status.starting) {
        end_unfinished(driver, status);
        return;
    }
    const DomainPtr domain = domain_of(driver, status);
    auto guest = std::make_shared<Guest>(driver.ctx.loop);
    guest->id = status.id;
    guest->starting = false;
    guest->shutdown_seen = status.shutdown_seen;
    guest->restart = status.restart;
    guest->destroy_wanted = status.destroy_wanted;
    guest->jobs = status.jobs;
    guest->live = std::make_shared<const DomainDef>(parse_live(status.live_xml));
    guest->process = process_of(driver, status);
    for (Process& helper : running_helpers(driver.statuses.folder_of(status.id))) {
        guest->helpers.push_back(std::make_shared<Process>(std::move(helper)));
    }
    domain->updated = status.updated;
    domain->state = status.state;
    driver.registry.set_guest(*domain, guest);
    if (!guest->process && !host_functions(*guest->live).empty()) {
        driver.followers.spawn(end_meanwhile(driver, domain, guest), "end " + domain->name);
        return;
    }
    if (!guest->process) {
        end_meanwhile_now(driver, domain);
        return;
    }
    driver.followers.spawn(follow_guest(driver, domain, guest), "follow " + domain->name);
    if (guest->destroy_wanted) {
        driver.followers.spawn(go_on_destroying(driver, domain), "destroy " + domain->name);
    }
    if (status.autodestroy == direct_client) {
        guest->destroy_wanted = true; // its connection ended with the daemon
        end_guest(*guest);
    } else if (!status.autodestroy.empty()) {
        watch_autodestroy(driver, domain, bus::Caller{status.autodestroy, nullptr});
    }
    attach_monitor(driver, domain, driver.statuses.monitor_of(status.id));
    driver.followers.spawn(take_up_in_turn(driver, domain, guest), "take up " + domain->name);
}

} // namespace

void reconnect_guests(Driver& driver) {
    for (const GuestStatus& status : driver.statuses.load()) {
        try {
            reconnect(driver, status);
        } catch (const Error& e) {
            log::error("domain '{}' with id {}: {}", status.name, status.id, e.phrased());
        }
    }
}

} // namespace vireo::qemu::actions
