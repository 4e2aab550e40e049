// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/memory_target.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/plug_memory.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

/// QEMU tells of changes once a second at most; a guest that works moves something more often.
constexpr microseconds quiet = 10s;
constexpr std::uint64_t longest_usec = std::uint64_t{1} << 50; // some 35 years

Task<void> next_change(std::shared_ptr<Guest> guest) {
    co_await guest->devices_changed.next();
}

Task<void> change_within(Loop& loop, std::shared_ptr<Guest> guest, microseconds limit) {
    auto waiting = next_change(std::move(guest));
    try {
        co_await Deadline(loop, std::move(waiting), limit, "a change");
    } catch (const Error& e) {
        if (e.code() != ErrorCode::operation_timeout) {
            throw;
        }
    }
}

[[noreturn]] void refuse_stopped(const MemoryDeviceDef& memory, const std::string& alias) {
    const std::uint64_t current = plugged_kib(memory);
    const std::uint64_t requested = memory.requested_kib.value_or(0);
    if (current > requested) {
        throw Error(
            ErrorCode::operation_failed,
            "the guest has stopped giving back memory of device '{}': it keeps {} KiB where "
            "{} are requested, for nothing has moved for 10 s; the rest is in use, or not "
            "movable: let it use less, or boot it with memhp_default_state=online_movable",
            alias,
            current,
            requested);
    }
    throw Error(ErrorCode::operation_failed,
                "the guest has stopped taking memory of device '{}': it has {} KiB where {} are "
                "requested, for nothing has moved for 10 s; {}",
                alias,
                current,
                requested,
                current == 0 ? "is the driver virtio_mem loaded in it?"
                             : "it may be out of memory for managing more");
}

/// Throws operation_invalid where it is: QEMU answers the guest's driver that it is busy then.
/// Source: QEMU, virtio_mem_is_busy in hw/virtio/virtio-mem.c.
Task<void> refuse_while_migrating(Driver& driver, std::shared_ptr<Guest> guest, std::string alias) {
    const nlohmann::json answer = co_await monitor_command(driver, guest, "query-migrate");
    const std::string status = answer.value("status", "none");
    for (const char* over : {"none", "completed", "failed", "cancelled"}) {
        if (status == over) {
            co_return;
        }
    }
    throw Error(ErrorCode::operation_invalid,
                "the guest is migrated or saved ({}): sizes of its memory devices are frozen "
                "meanwhile; device '{}' follows when that is over",
                status,
                alias);
}

struct DeviceTarget {
    std::string alias;
    MemoryShare share;
    std::uint64_t before_kib = 0;
};

std::vector<DeviceTarget> shares_of(const DomainDef& live, std::uint64_t amount_kib) {
    std::vector<DeviceTarget> wanted;
    std::vector<MemoryShare> shares;
    for (const MemoryDeviceDef& memory : live.devices.memories) {
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            shares.push_back({memory.node.value_or(0), memory.size_kib, *memory.block_kib, 0});
            wanted.push_back({*memory.info.alias, {}, memory.requested_kib.value_or(0)});
        }
    }
    share_memory(shares, amount_kib);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        wanted[i].share = shares[i];
    }
    return wanted;
}

Task<void> ask_balloon(Driver& driver, std::shared_ptr<Guest> guest, std::uint64_t kib) {
    nlohmann::json arguments;
    arguments["value"] = kib * bytes_per_kib;
    co_await monitor_command(driver, guest, "balloon", std::move(arguments));
}

Task<void> set_back(Driver& driver, DomainPtr domain, std::vector<DeviceTarget> done) {
    for (const DeviceTarget& one : done) {
        try {
            co_await request_memory(driver, domain, one.alias, one.before_kib);
        } catch (const Error& e) {
            log::error("domain '{}': memory device '{}' could not be set back: {}",
                       domain->name,
                       one.alias,
                       e.what());
        }
    }
}

void require_reachable(const DomainDef& live, std::uint64_t target_kib) {
    const std::uint64_t fixed = fixed_memory_kib(live);
    std::uint64_t elastic = 0;
    for (const MemoryDeviceDef& memory : live.devices.memories) {
        elastic += memory.model == MemoryDeviceModel::virtio_mem ? memory.size_kib : 0;
    }
    if (target_kib > fixed + elastic) {
        throw Error(ErrorCode::invalid_arg,
                    "{} KiB are more than the guest can have: {} KiB without virtio-mem, {} KiB of "
                    "virtio-mem devices",
                    target_kib,
                    fixed,
                    elastic);
    }
    if (target_kib < fixed && !has_balloon(live)) {
        throw Error(ErrorCode::config_unsupported,
                    "{} KiB are less than the {} KiB that the guest has without virtio-mem, and it "
                    "has no <memballoon> that could take back of these",
                    target_kib,
                    fixed);
    }
}

} // namespace

Task<void>
set_requested_memory(Driver& driver, DomainPtr domain, std::string alias, std::uint64_t bytes) {
    if (bytes % bytes_per_kib != 0) {
        throw Error(ErrorCode::invalid_arg, "{} bytes are not whole blocks", bytes);
    }
    const auto turn = co_await domain->changes.turn();
    co_await request_memory(driver, domain, alias, bytes / bytes_per_kib);
}

Task<std::uint64_t> wait_for_requested(Driver& driver,
                                       DomainPtr domain,
                                       std::string alias,
                                       std::uint64_t timeout_usec) {
    {
        // After a restart of the daemon the truth is known once this turn comes.
        const auto turn = co_await domain->changes.turn();
    }
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto end = Clock::now() + microseconds(std::min(timeout_usec, longest_usec));
    auto quiet_end = Clock::now() + quiet;
    std::uint64_t seen = plugged_kib(memory_device(*domain, alias));
    while (true) {
        if (domain->guest != guest) {
            throw Error(ErrorCode::operation_invalid, "the guest has ended meanwhile");
        }
        const MemoryDeviceDef& memory = memory_device(*domain, alias);
        const std::uint64_t current = plugged_kib(memory);
        const auto now = Clock::now();
        if (memory.model != MemoryDeviceModel::virtio_mem ||
            current == memory.requested_kib.value_or(0) || now >= end) {
            co_return current* bytes_per_kib;
        }
        if (domain->state.state == State::paused) {
            throw Error(
                ErrorCode::operation_invalid,
                "the guest has {} KiB of memory device '{}' and does nothing: it is paused, "
                "resume it first",
                current,
                alias);
        }
        if (current != seen) {
            seen = current;
            quiet_end = now + quiet;
        }
        if (now >= quiet_end) {
            co_await refuse_while_migrating(driver, guest, alias);
            refuse_stopped(memory_device(*domain, alias), alias);
        }
        const auto limit = std::chrono::ceil<microseconds>(std::min(end, quiet_end) - now);
        co_await change_within(driver.ctx.loop, guest, limit);
    }
}

Task<std::map<std::string, std::uint64_t>>
set_memory_target(Driver& driver, DomainPtr domain, std::uint64_t bytes) {
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto live = guest->live;
    const std::uint64_t target_kib = bytes / bytes_per_kib;
    require_reachable(*live, target_kib);
    const std::uint64_t fixed = fixed_memory_kib(*live);
    const std::uint64_t in_balloon = std::min(target_kib, fixed);
    std::vector<DeviceTarget> wanted = shares_of(*live, target_kib - in_balloon);
    std::map<std::string, std::uint64_t> set;
    std::vector<DeviceTarget> done;
    std::exception_ptr failure;
    try {
        for (const DeviceTarget& one : wanted) {
            co_await request_memory(driver, domain, one.alias, one.share.requested_kib);
            set[one.alias] = one.share.requested_kib * bytes_per_kib;
            done.push_back(one);
        }
        if (has_balloon(*live)) {
            co_await ask_balloon(driver, guest, in_balloon);
            guest->balloon_target_kib = in_balloon;
            set[*live->devices.memballoon->info.alias] = in_balloon * bytes_per_kib;
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await set_back(driver, domain, std::move(done));
        std::rethrow_exception(failure);
    }
    if (domain->guest == guest) {
        tell_of_memory(driver, *domain);
    }
    co_return set;
}

} // namespace vireo::qemu::actions
