// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/create_device.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/actions/bind_driver.hpp"
#include "nodedev-driver/actions/check_device.hpp"
#include "nodedev-driver/model/mdevctl.hpp"
#include "nodedev-driver/model/new_device.hpp"

#include <algorithm>
#include <random>

namespace vireo::nodedev::actions {

namespace {

/// What the kernel calls the device.
std::string kernel_name(const NodeDevice& device) {
    return device.path ? device.path->substr(device.path->rfind('/') + 1) : std::string();
}

/// Empty where the device makes no mediated devices.
const MdevTypes* mdev_types_of(const NodeDevice& device) {
    const std::optional<MdevTypes>* types = nullptr;
    if (const auto* pci = std::get_if<PciCapability>(&device.capability)) {
        types = &pci->mdev_types;
    } else if (const auto* css = std::get_if<CssCapability>(&device.capability)) {
        types = &css->mdev_types;
    } else if (const auto* matrix = std::get_if<ApMatrixCapability>(&device.capability)) {
        types = &matrix->mdev_types;
    }
    return types != nullptr && *types ? &**types : nullptr;
}

void check_makes(const NodeDevice& parent, const std::string& type) {
    const MdevTypes* types = mdev_types_of(parent);
    if (types == nullptr ||
        std::ranges::find(types->types, type, &MdevType::id) == types->types.end()) {
        throw Error(ErrorCode::operation_invalid,
                    "device '{}' makes no mediated device of type '{}'",
                    parent.name,
                    type);
    }
}

/// What it printed.
Task<std::string> run_mdevctl(Driver& driver, MdevctlCommand command) {
    ProcessSpec spec;
    spec.program = command.words.front();
    spec.arguments.assign(command.words.begin() + 1, command.words.end());
    const Output output =
        co_await run_command(driver.loop, std::move(spec), driver.step_limit, command.input);
    if (!output.status.success()) {
        throw Error(ErrorCode::operation_failed,
                    "mdevctl does not do it ({}): {}",
                    output.status.text(),
                    output.errors);
    }
    co_return output.out;
}

Task<void> until_listed(Driver& driver, std::string name) {
    while (!driver.registry.find(name)) {
        co_await driver.changed.next();
    }
}

Task<std::string> create_mdev(Driver& driver, std::string parent_name, MdevCapability mdev) {
    const auto parent = driver.registry.get(parent_name);
    check_makes(*parent, mdev.type_id);
    const std::string address = kernel_name(*parent);
    MdevctlCommand command = mdevctl_command(MdevAction::create, mdev, address);
    const std::string printed = co_await run_mdevctl(driver, std::move(command));
    std::string uuid = mdev.uuid;
    if (uuid.empty()) { // mdevctl has chosen one
        uuid = printed.substr(0, printed.find_first_of(" \n"));
    }
    const std::string name = device_name("mdev", uuid, address);
    driver.look_again(*parent->path + "/" + uuid);
    Task<void> wait = until_listed(driver, name);
    std::string what = fmt::format("the arrival of '{}'", name);
    co_await Deadline<void>(driver.loop, std::move(wait), driver.step_limit, std::move(what));
    co_return name;
}

const ScsiHostCapability* as_scsi_host(const Registry::Device& device) {
    return device ? std::get_if<ScsiHostCapability>(&device->capability) : nullptr;
}

/// Does the document mean this adapter?
bool is_parent(const NodeDevice& device, const NewDeviceParent& wanted) {
    const auto* host = std::get_if<ScsiHostCapability>(&device.capability);
    if (host == nullptr || !host->vport_ops || !host->fc_host) {
        return false;
    }
    if (!wanted.wwnn.empty() || !wanted.wwpn.empty()) {
        return host->fc_host->wwnn == wanted.wwnn && host->fc_host->wwpn == wanted.wwpn;
    }
    if (!wanted.fabric_wwn.empty()) {
        return host->fc_host->fabric_wwn == wanted.fabric_wwn;
    }
    return wanted.name.empty() ? host->vport_ops->vports < host->vport_ops->max_vports
                               : device.name == wanted.name;
}

Registry::Device find_adapter(const Registry& registry, const NewDeviceParent& wanted) {
    if (!wanted.name.empty()) {
        registry.get(wanted.name);
    }
    for (const auto& [name, device] : registry.devices()) {
        if (is_parent(*device, wanted)) {
            return device;
        }
    }
    throw Error(ErrorCode::operation_invalid,
                "there is no Fibre Channel adapter {}that can have virtual ports",
                wanted.name.empty() ? "as the document names it " : "'" + wanted.name + "' ");
}

/// The class in which the kernel has the adapter's attribute.
std::string vport_attribute(const Sysfs& sysfs, const NodeDevice& adapter, const char* name) {
    const std::string fc = fmt::format("/sys/class/fc_host/{}/{}", kernel_name(adapter), name);
    return sysfs.exists(fc) ? fc
                            : fmt::format("/sys/class/scsi_host/{}/{}", kernel_name(adapter), name);
}

/// A name of NAA type 5 below QEMU's vendor number (IEEE's list of OUIs: 00-1A-4A).
std::string made_up_wwn() {
    std::random_device random;
    std::uniform_int_distribution<uint64_t> digits(0, (uint64_t{1} << 36) - 1);
    return fmt::format("5001a4a{:09x}", digits(random));
}

/// The port's place below /sys, once the kernel has it.
std::optional<std::string> find_port(const Sysfs& sysfs, const NewVport& port) {
    for (const std::string& name : sysfs.names("/sys/class/fc_host")) {
        const std::string folder = "/sys/class/fc_host/" + name;
        if (sysfs.text(folder + "/node_name") == "0x" + port.wwnn &&
            sysfs.text(folder + "/port_name") == "0x" + port.wwpn) {
            return sysfs.resolve(folder + "/device");
        }
    }
    return std::nullopt;
}

Task<std::string> until_port(Driver& driver, NewVport port) {
    std::optional<std::string> path = find_port(driver.sources.sysfs, port);
    while (!path) {
        co_await driver.changed.next();
        path = find_port(driver.sources.sysfs, port);
    }
    co_return *path;
}

Task<std::string> create_vport(Driver& driver, NewDeviceParent parent, NewScsiHost host) {
    if (!host.vport) {
        throw Error(ErrorCode::xml_error,
                    "device/capability: a SCSI host can be made as a virtual port only: it needs "
                    "<capability type='fc_host'>");
    }
    NewVport port = *host.vport;
    port.wwnn = port.wwnn.empty() ? made_up_wwn() : port.wwnn;
    port.wwpn = port.wwpn.empty() ? made_up_wwn() : port.wwpn;
    const auto adapter = find_adapter(driver.registry, parent);
    const std::string names = port.wwpn + ":" + port.wwnn;
    std::string attribute = vport_attribute(driver.sources.sysfs, *adapter, "vport_create");
    co_await write_attribute(driver, std::move(attribute), names);
    Task<std::string> wait = until_port(driver, port);
    std::string what = fmt::format("the arrival of the virtual port '{}'", names);
    const std::string path = co_await Deadline<std::string>(
        driver.loop, std::move(wait), driver.step_limit, std::move(what));
    driver.look_again(path);
    co_return device_name("scsi", path.substr(path.rfind('/') + 1));
}

Task<void> destroy_mdev(Driver& driver, Registry::Device device) {
    const PciFunction as_function{.name = device->name, .path = *device->path, .address = {}};
    co_await check_group_closed(driver, as_function);
    const auto& mdev = std::get<MdevCapability>(device->capability);
    MdevctlCommand command = mdevctl_command(MdevAction::stop, mdev, mdev.parent_addr);
    co_await run_mdevctl(driver, std::move(command));
}

Task<void> destroy_vport(Driver& driver, Registry::Device device, Registry::Device adapter) {
    const auto& port = *std::get<ScsiHostCapability>(device->capability).fc_host;
    const std::string names = port.wwpn + ":" + port.wwnn;
    std::string attribute = vport_attribute(driver.sources.sysfs, *adapter, "vport_delete");
    co_await write_attribute(driver, std::move(attribute), names);
}

} // namespace

Task<std::string> create_device(Driver& driver, std::string document, bool strict) {
    NewDevice wanted = parse_new_device(document, strict);
    std::string name;
    if (auto* mdev = std::get_if<MdevCapability>(&wanted.capability)) {
        name = co_await create_mdev(driver, wanted.parent.name, std::move(*mdev));
    } else {
        auto& host = std::get<NewScsiHost>(wanted.capability);
        name = co_await create_vport(driver, wanted.parent, std::move(host));
    }
    log::info("device '{}' is made", name);
    co_return name;
}

Task<void> destroy_device(Driver& driver, std::string name) {
    const auto device = driver.registry.get(name);
    const auto adapter = device->parent ? driver.registry.find(*device->parent) : nullptr;
    const auto* host = as_scsi_host(device);
    const auto* above = as_scsi_host(adapter);
    if (std::holds_alternative<MdevCapability>(device->capability)) {
        co_await destroy_mdev(driver, device);
    } else if (host != nullptr && host->fc_host && above != nullptr && above->vport_ops) {
        co_await destroy_vport(driver, device, adapter);
    } else {
        throw Error(ErrorCode::operation_unsupported,
                    "device '{}' is no mediated device and no virtual port: only these can be "
                    "removed",
                    name);
    }
    driver.look_again(*device->path);
    log::info("device '{}' is removed", name);
}

} // namespace vireo::nodedev::actions
