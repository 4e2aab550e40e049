// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/plug_device.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/plug_memory.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/devices/plan_device.hpp"
#include "qemu-driver/devices/plan_secret.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_secrets.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/launch/image_chain.hpp"
#include "qemu-driver/launch/memory_folders.hpp"
#include "qemu-driver/launch/usb_devices.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/pool_volumes.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto unplug_limit = 5s;

std::vector<HostFunction> functions_of(const Device& device) {
    DomainDef alone;
    if (const auto* disk = std::get_if<DiskDef>(&device)) {
        alone.devices.disks.push_back(*disk);
    } else if (const auto* hostdev = std::get_if<HostdevDef>(&device)) {
        alone.devices.hostdevs.push_back(*hostdev);
    }
    return host_functions(alone);
}

/// What its images are based on, and the numbers of its nodes; nothing for other kinds.
Task<Device> with_images(Driver& driver, std::shared_ptr<Guest> guest, Device device) {
    if (!std::holds_alternative<DiskDef>(device)) {
        co_return std::move(device);
    }
    auto alone = std::make_shared<DomainDef>();
    alone->devices.disks.push_back(std::get<DiskDef>(std::move(device)));
    co_await find_volumes(driver, alone);
    co_await follow_image_chains(driver.ctx.loop, alone);
    if (alone->devices.disks.empty()) {
        throw Error(ErrorCode::operation_failed,
                    "its image does not exist, and its startupPolicy says that the guest does "
                    "without it");
    }
    guest->last_node = assign_node_numbers(*alone, last_node_number(*guest));
    co_return std::move(alone->devices.disks.front());
}

/// Where on the host a USB device is; nothing for other kinds.
Device with_usb_place(const Driver& driver, Device device) {
    if (!std::holds_alternative<HostdevDef>(device)) {
        return device;
    }
    DomainDef alone;
    alone.devices.hostdevs.push_back(std::get<HostdevDef>(std::move(device)));
    find_usb_devices(alone, driver.host);
    if (alone.devices.hostdevs.empty()) {
        throw Error(ErrorCode::operation_failed,
                    "the host has no such USB device, and its startupPolicy says that the guest "
                    "does without it");
    }
    return std::move(alone.devices.hostdevs.front());
}

/// Checks that nothing of the host is in the way of `device`, one of `planned`, and takes what it
/// needs of it.
Task<void> take_from_host(Driver& driver,
                          DomainPtr domain,
                          std::shared_ptr<Guest> guest,
                          std::shared_ptr<const DomainDef> planned,
                          std::vector<HostFunction> functions) {
    const auto obstacles = co_await find_obstacles(driver, planned, functions, guest->id);
    if (!obstacles.empty()) {
        throw to_error(obstacles);
    }
    if (functions.empty()) {
        co_return;
    }
    require_running(*domain, guest);
    const auto process = static_cast<std::uint32_t>(guest->process->pid());
    raise_memlock(*planned, driver.host, guest->process->pid());
    co_await acquire_functions(driver, domain->uuid, std::move(functions), process);
}

/// What QEMU is told for this kind besides its plan.
Task<void> prepare_plug(Driver& driver, std::shared_ptr<Guest> guest, Device device) {
    if (const auto* watchdog = std::get_if<WatchdogDef>(&device)) {
        json arguments;
        const auto action = watchdog->action.value_or(WatchdogAction::reset);
        arguments["action"] = action == WatchdogAction::dump ? "pause" : name_of(action);
        co_await monitor_command(driver, guest, "watchdog-set-action", std::move(arguments));
    }
}

/// Makes the devices one after the other; where one fails those before it are taken back.
Task<void> make_devices(Driver& driver,
                        std::shared_ptr<Guest> guest,
                        std::shared_ptr<const DomainDef> planned,
                        std::shared_ptr<const QemuCapabilities> capabilities,
                        PlacedDevice placement) {
    const auto alone = std::make_shared<DomainDef>();
    add_device(*alone, placement.device);
    std::string folder = driver.statuses.folder_of(guest->id);
    const SecretFacts secrets = co_await fetch_secrets(driver, alone, std::move(folder));
    Plan plan;
    for (const ControllerDef& controller : placement.controllers) {
        const Device one = controller;
        append(plan, hot_plan(driver, *guest, *planned, *capabilities, one, secrets));
    }
    append(plan, hot_plan(driver, *guest, *planned, *capabilities, placement.device, secrets));
    if (plan.empty()) {
        throw Error(ErrorCode::operation_unsupported,
                    "{} is a part of the machine: it cannot be plugged into a running guest",
                    words_of(placement.device));
    }
    require_hot_steps(plan, placement.device);
    co_await prepare_plug(driver, guest, placement.device);
    co_await run_plan(driver, guest, std::move(plan));
}

void add_to_live(Guest& guest, PlacedDevice placement) {
    auto live = std::make_shared<DomainDef>(*guest.live);
    for (ControllerDef& controller : placement.controllers) {
        live->devices.controllers.push_back(std::move(controller));
    }
    add_device(*live, std::move(placement.device));
    guest.live = std::move(live);
}

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

/// The file that QEMU will make for it; nothing where there is one.
std::optional<std::string> file_to_be_made(const Device& device) {
    const auto* memory = std::get_if<MemoryDeviceDef>(&device);
    if (memory == nullptr || !memory->source || !memory->source->path ||
        std::filesystem::exists(*memory->source->path)) {
        return std::nullopt;
    }
    return memory->source->path;
}

/// What has gone from the live document no longer holds anything of the host's.
Task<void> give_back(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, Device gone) {
    auto functions = no_longer_used(*guest->live, functions_of(gone));
    co_await release_functions(driver, domain->uuid, std::move(functions));
}

} // namespace

Task<std::string> plug_device(Driver& driver, DomainPtr domain, Device device) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto capabilities = co_await capabilities_of(driver, guest);
    require_running(*domain, guest);
    PlacedDevice placement = placed_in(*guest->live, device, host_facts(driver, capabilities));
    auto completing = with_images(driver, guest, std::move(placement.device));
    placement.device = co_await std::move(completing);
    placement.device = with_usb_place(driver, std::move(placement.device));
    require_running(*domain, guest);
    const Device placed = placement.device;
    const std::string alias = info_of(placed).alias.value_or("");
    const std::optional<std::string> made_file = file_to_be_made(placed);
    std::exception_ptr failure;
    {
        auto planned = std::make_shared<DomainDef>(*guest->live);
        for (const ControllerDef& controller : placement.controllers) {
            planned->devices.controllers.push_back(controller);
        }
        add_device(*planned, placed);
        std::optional<MemoryFolders> folders;
        if (std::holds_alternative<MemoryDeviceDef>(placed)) {
            folders.emplace(*planned, launch_facts(driver, *guest));
        }
        const Intention intention(driver, domain, planned);
        std::vector<HostFunction> functions = functions_of(placed);
        co_await take_from_host(driver, domain, guest, planned, std::move(functions));
        try {
            auto making = make_devices(driver, guest, planned, capabilities, placement);
            co_await std::move(making);
            require_running(*domain, guest);
            add_to_live(*guest, std::move(placement));
        } catch (...) {
            failure = std::current_exception();
        }
    }
    if (failure) {
        if (made_file) {
            std::error_code ignored; // what could not be made is not there
            std::filesystem::remove(*made_file, ignored);
        }
        co_await give_back(driver, domain, guest, placed);
        std::rethrow_exception(failure);
    }
    log::info("domain '{}': {} is attached", domain->name, words_of(placed));
    if (std::holds_alternative<MemoryDeviceDef>(placed)) {
        driver.events.memory_added(*domain, alias);
    }
    driver.events.device(*domain, "DeviceAdded", alias);
    tell_of_memory(driver, *domain);
    co_await refresh_memory_devices(driver, domain, guest);
    co_return alias;
}

Task<void> unplug_device(Driver& driver, DomainPtr domain, std::string alias) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto capabilities = co_await capabilities_of(driver, guest);
    require_running(*domain, guest);
    const Device device = require_device(*guest, alias);
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
        co_await give_back(driver, domain, guest, device);
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
