// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/save_status.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu::actions {

void save_status(Driver& driver, const Domain& domain) {
    const Guest& guest = *domain.guest;
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

} // namespace vireo::qemu::actions
