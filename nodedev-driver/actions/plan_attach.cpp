// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/plan_attach.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/async/offload.hpp"
#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/iommu_group.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/actions/bind_driver.hpp"
#include "nodedev-driver/probe/pci_address.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <map>

namespace vireo::nodedev::actions {

namespace {

using UsesByDisk = std::map<std::string, std::vector<DeviceUse>>;

/// What is asked for, found in the registry.
struct Wanted {
    /// `nvme0`; empty for a function without the host's driver.
    std::string controller;
    std::string space;
    Registry::Device function;
};

bool is_at_or_below(const Registry& registry, Registry::Device device, const std::string& above) {
    while (device && device->name != above) {
        device = device->parent ? registry.find(*device->parent) : nullptr;
    }
    return device != nullptr;
}

const NvmeCapability* as_controller(const Registry::Device& device) {
    return device ? std::get_if<NvmeCapability>(&device->capability) : nullptr;
}

Registry::Device function_of(const Registry& registry, const NvmeCapability& controller) {
    return controller.address
               ? registry.find(device_name("pci", format_pci_address(*controller.address)))
               : nullptr;
}

Wanted find_wanted(const Registry& registry, const NodeDevice& device) {
    const auto* disk = std::get_if<StorageCapability>(&device.capability);
    if (disk != nullptr && disk->nvme_namespace && !disk->nvme_namespace->controllers.empty()) {
        const std::string& name = disk->nvme_namespace->controllers.front();
        const auto controller = registry.find(device_name("nvme", name));
        const auto* nvme = as_controller(controller);
        return {name, device.name, nvme == nullptr ? nullptr : function_of(registry, *nvme)};
    }
    if (const auto* nvme = std::get_if<NvmeCapability>(&device.capability)) {
        return {nvme->controller, {}, function_of(registry, *nvme)};
    }
    const auto* pci = std::get_if<PciCapability>(&device.capability);
    // Mass storage, NVM, NVMe. Source: PCI Code and ID Assignment Specification, 1.1.
    constexpr uint32_t nvme_class = 0x010802;
    if (pci == nullptr || pci->class_code != nvme_class) {
        throw Error(ErrorCode::operation_invalid,
                    "device '{}' is no NVMe controller and no namespace of one",
                    device.name);
    }
    for (const auto& [name, other] : registry.controllers()) {
        const auto* nvme = as_controller(other);
        if (nvme != nullptr && other->parent == device.name) {
            return {nvme->controller, {}, registry.find(device.name)};
        }
    }
    return {{}, {}, registry.find(device.name)};
}

/// The best of the names that udev made: they tell the drive, not where it is plugged in.
std::string stable_name(const NodeDevice& disk, const std::string& node) {
    for (const char* prefix : {"/dev/disk/by-id/nvme-eui.",
                               "/dev/disk/by-id/nvme-uuid.",
                               "/dev/disk/by-id/nvme-",
                               "/dev/disk/by-id/"}) {
        for (const std::string& link : disk.devlinks) {
            if (link.starts_with(prefix)) {
                return link;
            }
        }
    }
    return node;
}

/// Is a member other than `address`, and no bridge, with a driver of the host's?
bool is_blocked(const GroupState& group, const std::string& address) {
    return std::ranges::any_of(group.members, [&](const GroupMember& member) {
        return member.address != address && !member.bridge &&
               !leaves_group_to_guests(member.driver);
    });
}

void add_function(const Driver& driver, const NodeDevice& function, ControllerFacts& facts) {
    const auto& pci = std::get<PciCapability>(function.capability);
    facts.function = function.name;
    facts.address = pci.place;
    facts.host_driver = driver_of(driver.sources.sysfs, *function.path);
    facts.virtual_functions = pci.virtual_functions ? pci.virtual_functions->addresses.size() : 0;
    const std::string address = format_pci_address(pci.place);
    if (const Lease* lease = driver.leases.find(address)) {
        facts.holder = lease->holder;
    }
    const auto group = read_iommu_group(driver.sources.sysfs, *function.path);
    facts.iommu = group.has_value();
    if (group && is_blocked(*group, address)) {
        facts.blocked_group = describe_group(*group);
    }
}

ControllerFacts
find_facts(const Driver& driver, const Wanted& wanted, std::vector<std::string>& disks) {
    ControllerFacts facts;
    if (wanted.function) {
        add_function(driver, *wanted.function, facts);
    }
    for (const auto& [name, disk] : driver.registry.disks()) {
        const auto& storage = std::get<StorageCapability>(disk->capability);
        const auto& space = storage.nvme_namespace;
        if (!space ||
            std::ranges::find(space->controllers, wanted.controller) == space->controllers.end()) {
            continue;
        }
        disks.push_back(*disk->path);
        facts.spaces.push_back({.name = name,
                                .id = space->id,
                                .block = stable_name(*disk, storage.block),
                                .generic = space->generic,
                                .lba_size = space->lba_size,
                                .metadata_size = space->metadata_size,
                                .uses = {}});
    }
    return facts;
}

Task<UsesByDisk>
look_for_uses(Driver& driver, std::vector<std::string> disks, std::string controller) {
    std::vector<std::string> nodes;
    if (!controller.empty()) {
        nodes.push_back("/dev/" + controller);
    }
    std::function<UsesByDisk()> call = [sysfs = driver.sources.sysfs,
                                        paths = std::move(disks),
                                        nodes] { return uses_now(sysfs, paths, nodes); };
    co_return co_await Offload<UsesByDisk>(driver.loop, std::move(call));
}

/// Has the host's QEMU the block driver? Empty where it cannot be asked.
Task<bool> qemu_has(Driver& driver, std::string block_driver) {
    utsname host{};
    ::uname(&host);
    ProcessSpec spec;
    spec.program = fmt::format("qemu-system-{}", host.machine);
    spec.arguments = {"-machine", "none", "-nodefaults", "-drive", "format=help"};
    std::string words;
    try {
        const Output output = co_await run_command(driver.loop, std::move(spec), driver.step_limit);
        words = output.out;
    } catch (const Error& error) {
        log::debug("QEMU's block drivers are not known: {}", error.what());
    }
    co_return words.find(" " + block_driver) != std::string::npos;
}

} // namespace

Task<std::vector<Attachment>>
plan_attach(Driver& driver, std::string above, std::string name, AttachQuestion question) {
    const auto device = driver.registry.get(name.empty() ? above : name);
    if (!is_at_or_below(driver.registry, device, above)) {
        throw Error(
            ErrorCode::no_node_device, "device '{}' does not hang on device '{}'", name, above);
    }
    const Wanted wanted = find_wanted(driver.registry, *device);
    AttachRequest request;
    request.wishes = question.wishes;
    request.target = question.target;
    request.space = wanted.space;
    request.io_uring = co_await qemu_has(driver, "nvme-io_uring");
    std::vector<std::string> disks;
    ControllerFacts facts = find_facts(driver, wanted, disks);
    Task<UsesByDisk> look = look_for_uses(driver, disks, wanted.controller);
    UsesByDisk uses = co_await Deadline<UsesByDisk>(
        driver.loop, std::move(look), driver.step_limit, std::string("the walk through processes"));
    for (size_t i = 0; i < disks.size(); ++i) {
        facts.spaces[i].uses = std::move(uses[disks[i]]);
    }
    facts.uses = std::move(uses[std::string()]);
    co_return plan_attachments(facts, request);
}

} // namespace vireo::nodedev::actions
