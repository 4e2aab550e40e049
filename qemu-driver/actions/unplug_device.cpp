// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/unplug_device.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/plug_memory.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/devices/plan_secret.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/model/device_document.hpp"

#include <algorithm>
#include <set>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto unplug_limit = 5s;

bool has_device(const Guest& guest, const std::string& alias) {
    return device_named(*guest.live, alias).has_value();
}

Device require_device(const Guest& guest, const std::string& alias) {
    auto device = device_named(*guest.live, alias);
    if (!device) {
        throw Error(ErrorCode::device_missing, "the guest has no device '{}'", alias);
    }
    return std::move(*device);
}

/// Why a guest does not let go, as far as that is known of this kind.
std::string keeping_reason(const Device& device) {
    if (std::holds_alternative<MemoryDeviceDef>(device)) {
        return "it uses memory of it that it cannot move; let it use less, or boot it with "
               "memhp_default_state=online_movable so that such memory stays movable";
    }
    return "let it stop using the device (unmount what is on it), and try again";
}

Task<void> until_gone(DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    while (has_device(*guest, alias)) {
        require_running(*domain, guest);
        if (guest->kept_devices.contains(alias)) {
            const Device device = require_device(*guest, alias);
            throw Error(ErrorCode::operation_failed,
                        "the guest keeps {}: {}",
                        words_of(device),
                        keeping_reason(device));
        }
        co_await guest->devices_changed.next();
    }
}

/// Source: QEMU, hw/core/qdev-monitor.c: devices on buses without hot-plug are refused there; what
/// the machine brings along has no id.
void require_pluggable(const Driver& driver,
                       const Guest& guest,
                       const QemuCapabilities& capabilities,
                       const Device& device) {
    const Plan plan = hot_plan(driver, guest, *guest.live, capabilities, device, blank_secrets());
    if (plan.empty()) {
        throw Error(ErrorCode::operation_unsupported,
                    "{} is a part of the machine: it cannot be taken from a running guest",
                    words_of(device));
    }
    const auto* disk = std::get_if<DiskDef>(&device);
    if (disk != nullptr && disk->mirror) {
        throw Error(ErrorCode::resource_busy,
                    "a block job works on {}: end it first (BlockJobAbort)",
                    words_of(device));
    }
}

/// Asks the guest to let it go, and waits for that a while. Throws operation_failed where the guest
/// says that it keeps it.
Task<void>
let_go(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    guest->kept_devices.erase(alias);
    json arguments;
    arguments["id"] = alias;
    co_await monitor_command(driver, guest, "device_del", std::move(arguments));
    auto leaving = until_gone(domain, guest, alias);
    try {
        co_await Deadline(driver.ctx.loop, std::move(leaving), unplug_limit, "the unplug");
    } catch (const Error& e) {
        if (e.code() != ErrorCode::operation_timeout) {
            throw;
        }
        log::info("domain '{}': the guest was asked to let {} go and has not yet",
                  domain->name,
                  words_of(require_device(*guest, alias)));
    }
}

} // namespace

Task<void>
release_unused(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, Device gone) {
    auto functions = no_longer_used(*guest->live, host_functions(gone));
    co_await release_functions(driver, domain->uuid, std::move(functions));
}

Task<void> unplug_device(Driver& driver, DomainPtr domain, std::string alias) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto capabilities = co_await capabilities_of(driver, guest);
    require_running(*domain, guest);
    const Device device = require_device(*guest, alias);
    require_hot_pluggable(device);
    require_pluggable(driver, *guest, *capabilities, device);
    if (const auto* memory = std::get_if<MemoryDeviceDef>(&device)) {
        co_await prepare_memory_unplug(driver, domain, *memory);
    }
    std::exception_ptr failure;
    auto letting_go = let_go(driver, domain, guest, alias);
    try {
        co_await std::move(letting_go);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        if (const auto* memory = std::get_if<MemoryDeviceDef>(&device)) {
            co_await undo_memory_unplug(driver, domain, *memory);
        }
        std::rethrow_exception(failure);
    }
}

Task<void>
finish_unplug(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    try {
        const auto capabilities = co_await capabilities_of(driver, guest);
        if (domain->guest != guest || !has_device(*guest, alias)) {
            co_return;
        }
        const Device device = require_device(*guest, alias);
        Plan plan = hot_plan(driver, *guest, *guest->live, *capabilities, device, blank_secrets());
        std::erase_if(plan, [](const Step& step) { return step.command == "device_add"; });
        co_await undo_plan(driver, guest, std::move(plan));
        if (domain->guest != guest || !has_device(*guest, alias)) {
            co_return;
        }
        const bool is_memory = std::holds_alternative<MemoryDeviceDef>(device);
        if (is_memory) {
            driver.events.memory_removed(*domain, alias);
        }
        auto live = std::make_shared<DomainDef>(*guest->live);
        remove_device(*live, device, find_device(*live, device));
        guest->live = std::move(live);
        save_status(driver, *domain);
        co_await release_unused(driver, domain, guest, device);
        log::info("domain '{}': {} has gone", domain->name, words_of(device));
        driver.events.device(*domain, "DeviceRemoved", alias);
        tell_of_memory(driver, *domain);
        guest->devices_changed.notify();
        if (is_memory) {
            co_await refresh_memory_devices(driver, domain, guest);
        }
    } catch (const Error& e) {
        log::error("domain '{}': device '{}' went, and what was behind it has not: {}",
                   domain->name,
                   alias,
                   e.what());
    }
}

Task<void> refresh_devices(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const Devices& devices = guest->live->devices;
    if (devices.disks.empty() && devices.hostdevs.empty()) {
        co_return;
    }
    json where;
    where["path"] = "/machine/peripheral";
    const json answer = co_await monitor_command(driver, guest, "qom-list", std::move(where));
    std::set<std::string> present;
    for (const json& entry : answer) {
        present.insert(entry.value("name", ""));
    }
    std::vector<std::string> gone;
    const auto look = [&](const auto& list) {
        for (const auto& device : list) {
            const bool unassigned = std::holds_alternative<UnassignedAddress>(device.info.address);
            if (device.info.alias && !unassigned && !present.contains(*device.info.alias)) {
                gone.push_back(*device.info.alias);
            }
        }
    };
    look(guest->live->devices.disks);
    look(guest->live->devices.hostdevs);
    for (std::string& alias : gone) {
        co_await finish_unplug(driver, domain, guest, std::move(alias));
    }
}

void take_device_deleted(Driver& driver, const DomainPtr& domain, const json& data) {
    std::string alias = data.value("device", "");
    if (has_device(*domain->guest, alias)) {
        driver.followers.spawn(finish_unplug(driver, domain, domain->guest, std::move(alias)),
                               "unplug from " + domain->name);
    }
}

void take_device_kept(Driver& driver, const DomainPtr& domain, const json& data) {
    const std::string alias = data.value("device", "");
    // Two events tell of one failure of a DIMM.
    if (alias.empty() || !domain->guest->kept_devices.insert(alias).second) {
        return;
    }
    driver.events.device(*domain, "DeviceRemovalFailed", alias);
    domain->guest->devices_changed.notify();
}

} // namespace vireo::qemu::actions
