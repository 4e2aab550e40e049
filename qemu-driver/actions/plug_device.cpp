// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/plug_device.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/plug_memory.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/actions/unplug_device.hpp"
#include "qemu-driver/devices/plan_device.hpp"
#include "qemu-driver/guest_secrets.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/launch/image_chain.hpp"
#include "qemu-driver/launch/memory_folders.hpp"
#include "qemu-driver/launch/usb_devices.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/pool_volumes.hpp"

#include <filesystem>
#include <optional>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

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

/// The file that QEMU will make for it; nothing where there is one.
std::optional<std::string> file_to_be_made(const Device& device) {
    const auto* memory = std::get_if<MemoryDeviceDef>(&device);
    if (memory == nullptr || !memory->source || !memory->source->path ||
        std::filesystem::exists(*memory->source->path)) {
        return std::nullopt;
    }
    return memory->source->path;
}

} // namespace

Task<std::string> plug_device(Driver& driver, DomainPtr domain, Device device) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    require_hot_pluggable(device);
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
        std::vector<HostFunction> functions = host_functions(placed);
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
        co_await release_unused(driver, domain, guest, placed);
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

} // namespace vireo::qemu::actions
