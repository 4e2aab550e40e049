// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/native_interfaces.hpp"

#include "libshared/bus/vtable.hpp"
#include "libshared/error.hpp"
#include "nodedev-driver/actions/lease_device.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/model/capability_kind.hpp"
#include "nodedev-driver/probe/pci_address.hpp"

#include <algorithm>

namespace vireo::nodedev {

namespace {

/// Where the controller that the kernel calls `nvme0` answers.
bus::ObjectPath controller_path(const std::string& controller) {
    return bus::ObjectPath(native_path(device_name("nvme", controller)));
}

/// The options of Acquire.
struct AcquireOptions {
    std::string driver;
    uint32_t process{};
    std::vector<std::string> beside;
};

AcquireOptions read_options(const bus::Dict& options) {
    AcquireOptions read;
    for (const auto& [key, value] : options) {
        const auto* text = value.get<std::string>();
        const auto* number = value.get<uint32_t>();
        const auto* names = value.get<std::vector<std::string>>();
        if (key == "driver" && text != nullptr) {
            read.driver = *text;
        } else if (key == "process" && number != nullptr) {
            read.process = *number;
        } else if (key == "beside" && names != nullptr) {
            read.beside = *names;
        } else {
            throw Error(ErrorCode::invalid_arg,
                        "option '{}' of Acquire is not known, or not of its type",
                        key);
        }
    }
    return read;
}

} // namespace

std::vector<std::string> NativeDeviceInterface::capabilities() const {
    const auto names = capability_names(*device_);
    return {names.begin(), names.end()};
}

bus::ObjectPath NativeDeviceInterface::parent() const {
    return bus::ObjectPath(device_->parent ? native_path(*device_->parent) : "/");
}

bus::ObjectPath NativeDeviceInterface::libvirt_path() const {
    return bus::ObjectPath(device_path(device_->name));
}

std::vector<bus::Dict> NativeDeviceInterface::in_use_by() const {
    std::vector<bus::Dict> uses;
    for (const DeviceUse& use : driver_.uses(*device_)) {
        uses.push_back({{"Kind", use.kind}, {"By", use.by}, {"Device", use.device}});
    }
    return uses;
}

bus::Dict NativeDeviceInterface::lease() const {
    const std::string path = sysfs_path();
    const Lease* lease = driver_.leases.find(path.substr(path.rfind('/') + 1));
    if (lease == nullptr || !std::holds_alternative<PciCapability>(device_->capability)) {
        return {};
    }
    return {{"Holder", lease->holder},
            {"Driver", lease->driver},
            {"HostDriver", lease->host_driver},
            {"State", std::string(xml::name_of(lease->state))},
            {"Since", lease->since},
            {"Process", lease->process}};
}

Task<void> NativeDeviceInterface::acquire(std::string holder, bus::Dict options) {
    if (holder.empty()) {
        throw Error(ErrorCode::invalid_arg, "who acquires device '{}' has no name", device_->name);
    }
    const AcquireOptions wanted = read_options(options);
    return actions::take_device(driver_,
                                device_->name,
                                std::move(holder),
                                actions::checked_driver(wanted.driver),
                                wanted.process,
                                wanted.beside);
}

Task<void> NativeDeviceInterface::release(std::string holder) {
    return actions::release_device(driver_, device_->name, std::move(holder));
}

void NativeDeviceInterface::refresh() {
    if (device_->path) {
        driver_.look_again(*device_->path);
    }
}

std::string NvmeControllerInterface::address() const {
    return nvme().address ? format_pci_address(*nvme().address) : "";
}

int32_t NvmeControllerInterface::numa_node() const {
    return nvme().numa_node ? static_cast<int32_t>(*nvme().numa_node) : -1;
}

uint32_t NvmeControllerInterface::max_secondary_controllers() const {
    return nvme().secondary ? nvme().secondary->max_count : 0;
}

std::vector<std::tuple<std::string, std::string>>
NvmeControllerInterface::secondary_controllers() const {
    std::vector<std::tuple<std::string, std::string>> found;
    if (nvme().secondary) {
        for (const SecondaryController& each : nvme().secondary->controllers) {
            found.emplace_back(format_pci_address(each.address), each.controller);
        }
    }
    return found;
}

std::vector<bus::ObjectPath> NvmeControllerInterface::namespaces() const {
    std::vector<bus::ObjectPath> paths;
    for (const auto& [name, device] : driver_.registry.disks()) {
        const auto& space = std::get<StorageCapability>(device->capability).nvme_namespace;
        if (space &&
            std::ranges::find(space->controllers, nvme().controller) != space->controllers.end()) {
            paths.emplace_back(native_path(name));
        }
    }
    return paths;
}

std::vector<bus::ObjectPath> NvmeNamespaceInterface::controllers() const {
    std::vector<bus::ObjectPath> paths;
    for (const std::string& controller : space().controllers) {
        paths.push_back(controller_path(controller));
    }
    return paths;
}

using Device = NativeDeviceInterface;
constexpr sd_bus_vtable native_device_vtable[] = {
    bus::start(),
    bus::property<&Device::name>("Name", bus::Changes::never),
    bus::property<&Device::capabilities>("Capabilities", bus::Changes::emits),
    bus::property<&Device::parent>("Parent", bus::Changes::emits),
    bus::property<&Device::sysfs_path>("SysfsPath", bus::Changes::emits),
    bus::property<&Device::host_driver>("HostDriver", bus::Changes::emits),
    bus::property<&Device::libvirt_path>("LibvirtPath", bus::Changes::never),
    bus::property<&Device::in_use_by>("InUseBy", bus::Changes::emits),
    bus::property<&Device::lease>("Lease", bus::Changes::emits),
    bus::method<&Device::acquire, "holder", "options">("Acquire"),
    bus::method<&Device::release, "holder">("Release"),
    bus::method<&Device::refresh>("Refresh"),
    bus::end(),
};

using Controller = NvmeControllerInterface;
constexpr sd_bus_vtable nvme_controller_vtable[] = {
    bus::start(),
    bus::property<&Controller::controller>("Controller", bus::Changes::emits),
    bus::property<&Controller::address>("Address", bus::Changes::emits),
    bus::property<&Controller::model>("Model", bus::Changes::emits),
    bus::property<&Controller::serial>("Serial", bus::Changes::emits),
    bus::property<&Controller::firmware>("Firmware", bus::Changes::emits),
    bus::property<&Controller::nqn>("NQN", bus::Changes::emits),
    bus::property<&Controller::transport>("Transport", bus::Changes::emits),
    bus::property<&Controller::state>("State", bus::Changes::emits),
    bus::property<&Controller::controller_id>("ControllerId", bus::Changes::emits),
    bus::property<&Controller::numa_node>("NumaNode", bus::Changes::emits),
    bus::property<&Controller::max_secondary_controllers>("MaxSecondaryControllers",
                                                          bus::Changes::emits),
    bus::property<&Controller::secondary_controllers>("SecondaryControllers", bus::Changes::emits),
    bus::property<&Controller::namespaces>("Namespaces", bus::Changes::emits),
    bus::end(),
};

using Space = NvmeNamespaceInterface;
constexpr sd_bus_vtable nvme_namespace_vtable[] = {
    bus::start(),
    bus::property<&Space::id>("Id", bus::Changes::emits),
    bus::property<&Space::size>("Size", bus::Changes::emits),
    bus::property<&Space::used>("Used", bus::Changes::emits),
    bus::property<&Space::lba_size>("LBASize", bus::Changes::emits),
    bus::property<&Space::metadata_size>("MetadataSize", bus::Changes::emits),
    bus::property<&Space::nguid>("NGUID", bus::Changes::emits),
    bus::property<&Space::eui64>("EUI64", bus::Changes::emits),
    bus::property<&Space::uuid>("UUID", bus::Changes::emits),
    bus::property<&Space::block_device>("BlockDevice", bus::Changes::emits),
    bus::property<&Space::generic_device>("GenericDevice", bus::Changes::emits),
    bus::property<&Space::controllers>("Controllers", bus::Changes::emits),
    bus::end(),
};

} // namespace vireo::nodedev
