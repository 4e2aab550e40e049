// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/save_status.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/documents.hpp"

#include <utility>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;

constexpr auto status_delay = 200ms;

Task<void> save_due_status(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    co_await Sleep(driver.ctx.loop, status_delay);
    if (domain->guest == guest && guest->status_is_due) { // or it was written with another change
        save_status(driver, *domain);
    }
}

} // namespace

void save_status(Driver& driver, const Domain& domain) {
    Guest& guest = *domain.guest;
    guest.status_is_due = false;
    GuestStatus status;
    status.uuid = domain.uuid;
    status.name = domain.name;
    status.id = guest.id;
    status.starting = guest.starting;
    status.persistent = domain.persistent;
    status.updated = domain.updated;
    status.state = domain.state;
    status.shutdown_seen = guest.shutdown_seen;
    status.restart = guest.restart;
    status.destroy_wanted = guest.destroy_wanted;
    status.autodestroy = guest.autodestroy_client;
    status.jobs = guest.jobs;
    status.live_xml = live_text(guest.intended ? *guest.intended : *guest.live);
    try {
        driver.statuses.save(status);
    } catch (const Error& e) {
        log::error("domain '{}': its status could not be written: {}", domain.name, e.what());
    }
}

void save_status_later(Driver& driver, const DomainPtr& domain) {
    const std::shared_ptr<Guest> guest = domain->guest;
    if (!std::exchange(guest->status_is_due, true)) {
        driver.followers.spawn(save_due_status(driver, domain, guest), "status of " + domain->name);
    }
}

} // namespace vireo::qemu::actions
