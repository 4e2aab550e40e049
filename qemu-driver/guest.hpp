// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/process.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/daemon/clients.hpp"
#include "qemu-driver/block_job.hpp"
#include "qemu-driver/memory_amounts.hpp"
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/qmp/client.hpp"
#include "qemu-driver/state.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vireo::qemu {

/// A running QEMU: what exists of a domain only while it is active.
struct Guest {
    explicit Guest(Loop& loop)
        : jobs_changed(loop), devices_changed(loop), monitor_closed(loop), ended(loop) {}

    std::uint32_t id = 0;
    /// The document of the running guest, with ids, aliases and actual sources. Replaced as a
    /// whole; readers keep the one they have.
    std::shared_ptr<const DomainDef> live;
    std::optional<Process> process;
    /// The processes beside QEMU that play a part of its devices; they end with it.
    std::vector<std::shared_ptr<Process>> helpers;
    std::unique_ptr<qmp::Client> monitor;

    /// Its start is not complete: no client has been told of it.
    bool starting = true;
    /// What it needs of the host's devices was taken for it.
    bool has_devices = false;
    /// QEMU has told of its end by SHUTDOWN: what follows is no crash.
    bool shutdown_seen = false;
    Restart restart = Restart::none;
    /// The client that asked for its end, where one did.
    bool destroy_wanted = false;
    /// `stop` was sent for a client: the STOP that follows is its doing.
    bool suspend_wanted = false;
    /// Ends with the client that started it, where it was started so.
    std::string autodestroy_client;
    std::unique_ptr<Clients::Watch> autodestroy;

    /// Stands in the status instead of `live` while a device is on its way in: a daemon that is
    /// killed meanwhile leaves a device behind that its successor knows.
    std::shared_ptr<const DomainDef> intended;
    /// Its status lacks what has changed meanwhile, and will be written.
    bool status_is_due = false;
    /// Aliases of the devices that the guest did not let go when it was last asked to.
    std::set<std::string> kept_devices;
    /// Aliases of the drives whose tray is open.
    std::set<std::string> open_trays;
    std::vector<BlockJob> jobs;
    /// Notified when a block job is ready or has ended.
    Condition jobs_changed;
    /// The last number that a block node of this guest was given.
    std::uint32_t last_node = 0;
    /// Notified when a device has gone or is kept, when a tray has moved, and when the guest has
    /// more or less of a memory device.
    Condition devices_changed;

    /// What its balloon was last asked to leave it, where this daemon has asked.
    std::optional<std::uint64_t> balloon_target_kib;
    MemoryAmounts told_memory;
    /// What is requested of its memory devices has changed, and clients will be told.
    bool requests_untold = false;

    /// Nothing more will come from QEMU.
    Promised<bool> monitor_closed;
    /// Notified once the domain is inactive again.
    Condition ended;
};

} // namespace vireo::qemu
