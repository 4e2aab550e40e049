// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/stop_guest.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/tpm_state.hpp"
#include "qemu-driver/host_devices.hpp"

#include <csignal>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;

constexpr auto term_limit = 10s;
constexpr auto kill_limit = 30s;
constexpr auto last_words_limit = 2s;

Task<bool> until_ended(std::shared_ptr<Guest> guest) {
    co_await guest->ended.next();
    co_return true;
}

Task<bool> ends_within(Loop& loop, std::shared_ptr<Guest> guest, std::chrono::microseconds limit) {
    auto waiting = until_ended(std::move(guest));
    try {
        co_await Deadline(loop, std::move(waiting), limit, "the guest");
    } catch (const Error&) {
        co_return false;
    }
    co_return true;
}

Task<void> until_monitor_closed(std::shared_ptr<Guest> guest) {
    co_await guest->monitor_closed.value();
}

} // namespace

End end_of(const Domain& domain, const Guest& guest) {
    if (guest.destroy_wanted) {
        return {reason::destroyed, lifecycle::stopped_destroyed};
    }
    if (domain.state.state == State::crashed) {
        return {reason::shutoff_crashed, lifecycle::stopped_crashed};
    }
    if (guest.shutdown_seen) {
        return {reason::shut_down, lifecycle::stopped_shutdown};
    }
    return {reason::shutoff_crashed, lifecycle::stopped_failed};
}

Task<void> destroy_domain(Driver& driver, DomainPtr domain, bool graceful) {
    const std::shared_ptr<Guest> guest = domain->guest;
    if (!guest) {
        throw Error(ErrorCode::operation_invalid, "domain is not running");
    }
    guest->destroy_wanted = true;
    save_status(driver, *domain); // a daemon that is killed now goes on with it
    if (guest->process) {
        guest->process->kill(SIGTERM);
    }
    bool ended = co_await ends_within(driver.ctx.loop, guest, term_limit);
    if (!ended && graceful) {
        guest->destroy_wanted = false;
        save_status(driver, *domain);
        throw Error(ErrorCode::operation_failed,
                    "process {} of domain '{}' has not ended within 10 s of SIGTERM",
                    guest->process ? guest->process->pid() : 0,
                    domain->name);
    }
    if (!ended) {
        log::warning("domain '{}': its process does not end by SIGTERM, killing it", domain->name);
        if (guest->process) {
            guest->process->kill(SIGKILL);
        }
        ended = co_await ends_within(driver.ctx.loop, guest, kill_limit);
    }
    if (!ended) {
        throw Error(
            ErrorCode::operation_timeout,
            "process {} of domain '{}' has not ended within 30 s of SIGKILL: the kernel holds it",
            guest->process ? guest->process->pid() : 0,
            domain->name);
    }
}

void end_guest(Guest& guest) {
    if (guest.process) {
        guest.process->kill(SIGTERM);
    }
}

Task<void> follow_guest(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const ExitStatus status = co_await guest->process->wait(driver.ctx.loop);
    // Its last words, SHUTDOWN among them, may still be in the socket.
    auto closing = until_monitor_closed(guest);
    try {
        co_await Deadline(driver.ctx.loop, std::move(closing), last_words_limit, "QEMU's monitor");
    } catch (const Error&) {
        log::warning("domain '{}': QEMU has ended but somebody holds its monitor", domain->name);
    }
    // Who hears of its end finds its devices with the host.
    std::vector<HostFunction> functions = host_functions(*guest->live);
    co_await release_functions(driver, domain->uuid, std::move(functions));
    const End end = end_of(*domain, *guest);
    log::info("domain '{}': QEMU has ended: {}", domain->name, status.text());
    make_inactive(driver, domain, end.state, end.event);
    guest->ended.notify();
}

void make_inactive(Driver& driver,
                   const DomainPtr& domain,
                   StateReason state,
                   std::optional<LifecycleEvent> event) {
    retire_memory_devices(driver, *domain);
    const std::uint32_t id = domain->guest->id;
    const bool known = !domain->guest->starting; // to clients
    for (const std::shared_ptr<Process>& helper : domain->guest->helpers) {
        helper->kill(SIGTERM); // where QEMU never connected to it
    }
    std::string tpm = domain->persistent || keeps_tpm_state(*domain->guest->live)
                          ? std::string()
                          : tpm_state(driver, *domain);
    if (!tpm.empty()) {
        driver.followers.spawn(remove_tpm_state(driver, std::move(tpm)),
                               "remove the TPM of " + domain->name);
    }
    driver.registry.clear_guest(*domain);
    domain->updated = false;
    if (known) {
        tell_of_no_memory(driver, *domain);
    }
    driver.events.set_state(*domain, state);
    if (!domain->persistent) {
        driver.events.removed(*domain);
        driver.registry.remove(*domain);
    }
    if (event) {
        driver.events.lifecycle(*domain, *event);
    }
    driver.statuses.remove(id);
}

} // namespace vireo::qemu::actions
