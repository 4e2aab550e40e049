// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/nvme_interfaces.hpp"

#include "libshared/bus/vtable.hpp"
#include "nodedev-driver/actions/read_health.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/probe/pci_address.hpp"

#include <algorithm>

namespace vireo::nodedev {

namespace {

/// Where the controller that the kernel calls `nvme0` answers.
bus::ObjectPath controller_path(const std::string& controller) {
    return bus::ObjectPath(native_path(device_name("nvme", controller)));
}

/// Times as all of org.vireo has them.
uint64_t in_microseconds(uint64_t minutes) {
    constexpr uint64_t minute = 60'000'000;
    return minutes > UINT64_MAX / minute ? UINT64_MAX : minutes * minute;
}

bus::Dict health_dict(const HealthReading& reading) {
    const NvmeHealth& health = reading.health;
    std::vector<std::string> warnings;
    for (const HealthWarning warning : health.warnings) {
        warnings.emplace_back(xml::name_of(warning));
    }
    const uint64_t hours = std::min(health.power_on_hours, UINT64_MAX / 60);
    return {{"UpdatedAt", reading.taken},
            {"CriticalWarnings", std::move(warnings)},
            {"Temperature", health.temperature_kelvin},
            {"TemperatureSensors", health.sensors_kelvin},
            {"AvailableSpare", health.available_spare_percent},
            {"AvailableSpareThreshold", health.spare_threshold_percent},
            {"PercentageUsed", health.used_percent},
            {"BytesRead", health.bytes_read},
            {"BytesWritten", health.bytes_written},
            {"HostReads", health.host_reads},
            {"HostWrites", health.host_writes},
            {"BusyTime", in_microseconds(health.busy_minutes)},
            {"PowerCycles", health.power_cycles},
            {"PowerOnTime", in_microseconds(hours * 60)},
            {"UnsafeShutdowns", health.unsafe_shutdowns},
            {"MediaErrors", health.media_errors},
            {"ErrorLogEntries", health.error_log_entries},
            {"WarningTemperatureTime", in_microseconds(health.warm_minutes)},
            {"CriticalTemperatureTime", in_microseconds(health.hot_minutes)}};
}

} // namespace

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

bus::Dict NvmeControllerInterface::health() const {
    const auto reading = driver_.health.find(device_->name);
    return reading == driver_.health.end() ? bus::Dict{} : health_dict(reading->second);
}

Task<void> NvmeControllerInterface::refresh_health() {
    return actions::refresh_health(driver_, device_->name, nvme().controller);
}

std::vector<bus::ObjectPath> NvmeNamespaceInterface::controllers() const {
    std::vector<bus::ObjectPath> paths;
    for (const std::string& controller : space().controllers) {
        paths.push_back(controller_path(controller));
    }
    return paths;
}

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
    bus::property<&Controller::health>("Health", bus::Changes::emits),
    bus::method<&Controller::refresh_health>("RefreshHealth"),
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
