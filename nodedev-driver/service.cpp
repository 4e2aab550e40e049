// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/service.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/actions/lease_device.hpp"
#include "nodedev-driver/bus/connect_interface.hpp"
#include "nodedev-driver/bus/native_interfaces.hpp"
#include "nodedev-driver/bus/node_device_interface.hpp"
#include "nodedev-driver/bus/nvme_interfaces.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/probe/vital_product_data.hpp"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cstdlib>
#include <set>

namespace vireo::nodedev {

namespace {

std::vector<NodeDevice> scan(const ProbeSources& sources) {
    std::vector<NodeDevice> found;
    found.push_back(probe_computer(sources));
    for (const std::string& path : device_paths(sources)) {
        if (auto device = probe_device(sources, path)) {
            found.push_back(std::move(*device));
        }
    }
    return found;
}

/// With the database of names open meanwhile.
auto scan_host(ProbeSources sources) {
    sources.names = open_hardware_names();
    return scan(sources);
}

bool is_controller(const NodeDevice& device) {
    return std::holds_alternative<NvmeCapability>(device.capability);
}

bool is_namespace(const NodeDevice& device) {
    const auto* disk = std::get_if<StorageCapability>(&device.capability);
    return disk != nullptr && disk->nvme_namespace;
}

} // namespace

NodedevService::NodedevService(Context& context)
    : context_(context),
      driver_(context.loop,
              ProbeSources{.sysfs = Sysfs(host_tree()), .names = hardware_names(), .vpd = {}},
              context.options.directories.runtime + "/nodedev/leases"),
      known_(context.options.directories.runtime + "/nodedev/devices") {
    driver_.look_again = [this](const std::string& path) { changed(path, false); };
    driver_.health_changed = [this](const std::string& name) {
        constexpr const char* names[] = {"Health"};
        context_.objects.properties_changed(native_path(name), nvme_controller_interface, names);
    };
    // Listening comes first, so that nothing is missed in between.
    watch();
    driver_.registry.assign(scan_host(driver_.sources));
    log::info("{} devices on this host", driver_.registry.devices().size());
    take_uses(); // nobody has been told other ones
    watch_uses();
    serve();
    serve_native();
    emit(known_.compare(driver_.registry));
    save_later();
}

void NodedevService::serve() {
    context_.objects.add_object(connect_path,
                                connect_interface,
                                connect_vtable,
                                std::make_shared<ConnectInterface>(driver_, context_.tasks));
    context_.objects.add_collection<NodeDeviceInterface>(
        device_prefix,
        node_device_interface,
        node_device_vtable,
        [this](std::string_view path) {
            return std::make_shared<NodeDeviceInterface>(
                driver_, context_.tasks, driver_.registry.get(device_name_at(path)));
        },
        [this] { return paths(&device_path); });
}

std::vector<std::string> NodedevService::paths(std::string (*path_of)(std::string_view)) const {
    std::vector<std::string> paths;
    for (const auto& [name, device] : driver_.registry.devices()) {
        paths.push_back(path_of(name));
    }
    return paths;
}

/// One that is being told to be gone is still there for that.
Registry::Device NodedevService::native_device(std::string_view path) const {
    const std::string name = device_name_at(path);
    const auto device = telling_ ? driver_.registry.removed(name) : nullptr;
    return device ? device : driver_.registry.get(name);
}

void NodedevService::serve_native() {
    const auto list = [this] { return paths(&native_path); };
    context_.objects.add_collection<NativeDeviceInterface>(
        native_prefix,
        native_device_interface,
        native_device_vtable,
        [this](std::string_view path) {
            return std::make_shared<NativeDeviceInterface>(
                driver_, context_.tasks, native_device(path));
        },
        list);
    context_.objects.add_collection<NvmeControllerInterface>(
        native_prefix,
        nvme_controller_interface,
        nvme_controller_vtable,
        [this](std::string_view path) {
            auto device = native_device(path);
            return is_controller(*device) ? std::make_shared<NvmeControllerInterface>(
                                                driver_, context_.tasks, std::move(device))
                                          : nullptr;
        },
        list);
    context_.objects.add_collection<NvmeNamespaceInterface>(
        native_prefix,
        nvme_namespace_interface,
        nvme_namespace_vtable,
        [this](std::string_view path) {
            auto device = native_device(path);
            return is_namespace(*device)
                       ? std::make_shared<NvmeNamespaceInterface>(std::move(device))
                       : nullptr;
        },
        list);
    context_.objects.add_object_manager(native_root);
}

void NodedevService::started() {
    context_.tasks.spawn(actions::recover_leases(driver_), "leases");
    SlowFacts wanted;
    for (const auto& [name, device] : driver_.registry.devices()) {
        add_slow_facts(*device, wanted);
    }
    find_slow_facts(std::move(wanted));
}

void NodedevService::add_slow_facts(const NodeDevice& device, SlowFacts& wanted) const {
    const Sysfs& sysfs = driver_.sources.sysfs;
    if (device.path && has_vital_product_data(sysfs, *device.path)) {
        wanted.functions.push_back(*device.path);
    }
    const auto* disk = std::get_if<StorageCapability>(&device.capability);
    const auto* space = disk != nullptr && disk->nvme_namespace ? &*disk->nvme_namespace : nullptr;
    const bool known = space != nullptr && space->used && space->metadata_size;
    // A drive that is made up has nobody to ask.
    if (space != nullptr && !known && !space->controllers.empty() && sysfs.is_host()) {
        wanted.namespaces.push_back(
            {*device.path, "/dev/" + space->controllers.front(), space->id});
    }
}

void NodedevService::find_slow_facts(SlowFacts wanted) {
    if (!wanted.functions.empty() || !wanted.namespaces.empty()) {
        context_.tasks.spawn(take_slow_facts(std::move(wanted)), "slow facts");
    }
}

Task<void> NodedevService::take_slow_facts(SlowFacts wanted) {
    using Found = std::pair<VpdByPath, IdentityByPath>;
    std::function<Found()> call = [sysfs = driver_.sources.sysfs, wants = std::move(wanted)] {
        Found found;
        for (const std::string& path : wants.functions) {
            if (auto vpd = read_vpd(sysfs, path)) {
                found.first.emplace(path, std::move(*vpd));
            }
        }
        for (const auto& [path, node, id] : wants.namespaces) {
            if (const auto identity = identify_namespace(node, id)) {
                found.second.emplace(path, *identity);
            }
        }
        return found;
    };
    auto found = co_await Offload<Found>(context_.loop, std::move(call));
    for (auto& [path, vpd] : found.first) {
        driver_.sources.vpd.insert_or_assign(path, std::move(vpd));
        changed(path, false);
    }
    for (const auto& [path, identity] : found.second) {
        driver_.sources.identities.insert_or_assign(path, identity);
        changed(path, false);
    }
}

void NodedevService::changed(const std::string& path, bool gone) {
    if (gone) {
        driver_.sources.vpd.erase(path);
        driver_.sources.identities.erase(path);
        actions::forget_device(driver_, path);
    }
    const auto changes =
        driver_.registry.update(path, gone ? std::nullopt : probe_device(driver_.sources, path));
    emit(changes);
    if (!changes.empty() && changes.back().kind == ChangeKind::created) {
        SlowFacts wanted;
        add_slow_facts(*driver_.registry.get(changes.back().name), wanted);
        find_slow_facts(std::move(wanted));
    }
    constexpr std::string_view built = "/sys/devices/virtual/block/";
    if (path.starts_with(built)) { // on which disk, only a look at all of them tells
        uses_changed();
    }
    driver_.changed.notify();
}

void NodedevService::watch() {
    try {
        monitor_ = std::make_unique<DeviceMonitor>(
            context_.loop,
            DeviceMonitor::Listener{
                .changed = [this](const std::string& path, bool gone) { changed(path, gone); },
                .lost = [this] { rescan(); }},
            host_tree());
    } catch (const Error& error) {
        log::warning("devices that come and go are not noticed: {}", error.what());
    }
}

/// The kernel marks these tables as ready for reading with priority when they change: proc(5).
void NodedevService::watch_uses() {
    if (!driver_.sources.sysfs.is_host()) {
        return;
    }
    const auto follow = [this](const char* table, Fd& fd, Source& source) {
        fd = Fd(::open(table, O_RDONLY | O_CLOEXEC));
        sd_event_source* added = nullptr;
        if (fd &&
            sd_event_add_io(
                context_.loop.get(), &added, fd.get(), EPOLLPRI, &on_table_changed, this) >= 0) {
            source.reset(added);
        } else {
            log::warning("changes of {} are not noticed", table);
        }
    };
    follow("/proc/self/mountinfo", mounts_, mounts_source_);
    follow("/proc/swaps", swaps_, swaps_source_);
}

int NodedevService::on_table_changed(sd_event_source*, int, uint32_t, void* self) noexcept {
    try {
        static_cast<NodedevService*>(self)->uses_changed();
    } catch (const std::exception& failure) {
        log::error("a change of what uses the disks is not told: {}", failure.what());
    }
    return 0;
}

std::set<std::string> NodedevService::take_uses() {
    std::map<std::string, std::vector<DeviceUse>> now;
    std::set<std::string> different;
    for (const auto& [name, device] : driver_.registry.disks()) {
        auto uses = driver_.uses(*device);
        const auto before = uses_.find(name);
        const bool same = before == uses_.end() ? uses.empty() : before->second == uses;
        if (!same) {
            // And what it hangs on: they answer for what is below them.
            for (auto each = device; each && each->parent;
                 each = driver_.registry.find(*each->parent)) {
                different.insert(each->name);
            }
        }
        now.emplace(name, std::move(uses));
    }
    uses_ = std::move(now);
    return different;
}

void NodedevService::uses_changed() {
    for (const std::string& name : take_uses()) {
        constexpr const char* names[] = {"InUseBy"};
        context_.objects.properties_changed(native_path(name), native_device_interface, names);
    }
}

/// Once for all that happens in one turn of the loop.
void NodedevService::save_later() {
    if (!save_) {
        sd_event_source* source = nullptr;
        check(sd_event_add_defer(context_.loop.get(), &source, &on_save, this), "store the list");
        save_.reset(source);
        sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
    }
}

int NodedevService::on_save(sd_event_source*, void* self) noexcept {
    auto& service = *static_cast<NodedevService*>(self);
    service.save_.reset();
    try {
        service.known_.save(service.driver_.registry);
    } catch (const std::exception& failure) {
        log::warning("what comes and goes while no daemon runs is not noticed: {}", failure.what());
    }
    return 0;
}

void NodedevService::rescan() {
    emit(driver_.registry.assign(scan(driver_.sources)));
    uses_changed();
    driver_.changed.notify();
}

void NodedevService::tell_properties(const NodeDevice& device) {
    constexpr const char* common[] = {
        "Capabilities", "Parent", "SysfsPath", "HostDriver", "InUseBy", "Lease"};
    constexpr const char* controller[] = {"Address",
                                          "Model",
                                          "Serial",
                                          "Firmware",
                                          "NQN",
                                          "Transport",
                                          "State",
                                          "ControllerId",
                                          "NumaNode",
                                          "MaxSecondaryControllers",
                                          "SecondaryControllers",
                                          "Namespaces"};
    constexpr const char* space[] = {"Size",
                                     "Used",
                                     "LBASize",
                                     "MetadataSize",
                                     "NGUID",
                                     "EUI64",
                                     "UUID",
                                     "GenericDevice",
                                     "Controllers"};
    const std::string path = native_path(device.name);
    context_.objects.properties_changed(path, native_device_interface, common);
    if (is_controller(device)) {
        context_.objects.properties_changed(path, nvme_controller_interface, controller);
    } else if (is_namespace(device)) {
        context_.objects.properties_changed(path, nvme_namespace_interface, space);
    }
}

void NodedevService::emit(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        log::info("device '{}' {}", change.name, word(change.kind));
        context_.objects.emit(connect_path,
                              connect_interface,
                              "NodeDeviceEvent",
                              bus::ObjectPath(device_path(change.name)),
                              static_cast<int32_t>(change.kind),
                              int32_t{0});
        if (change.kind != ChangeKind::updated) {
            save_later();
        }
        const auto device = driver_.registry.find(change.name);
        if (change.kind == ChangeKind::deleted) {
            driver_.health.erase(change.name);
            telling_ = true;
            context_.objects.object_removed(native_path(change.name));
            telling_ = false;
        } else if (change.kind == ChangeKind::created) {
            context_.objects.object_added(native_path(change.name));
        } else if (device) {
            tell_properties(*device);
        }
    }
}

} // namespace vireo::nodedev
