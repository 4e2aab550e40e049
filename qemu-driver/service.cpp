// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/service.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/reconnect_guests.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/bus/domain_interface.hpp"
#include "qemu-driver/bus/native_connect_interface.hpp"
#include "qemu-driver/bus/native_domain_interface.hpp"
#include "qemu-driver/memory_device_path.hpp"
#include "qemu-driver/snapshot_path.hpp"

namespace vireo::qemu {

QemuService::QemuService(Context& context)
    : driver_(context), connect_(std::make_shared<ConnectInterface>(driver_)) {
    export_objects();
    for (StoredDomain& stored : driver_.definitions.load()) {
        auto domain =
            std::make_shared<Domain>(context.loop, std::move(stored.uuid), std::move(stored.name));
        domain->persistent = true;
        domain->autostart = stored.autostart;
        domain->definition = stored.mark;
        domain->summary = std::move(stored.summary);
        try {
            driver_.registry.add(std::move(domain));
        } catch (const Error& e) { // two files with one name: the other one is served
            log::error("a stored definition is passed over: {}", e.what());
        }
    }
    actions::reconnect_guests(driver_);
}

QemuService::~QemuService() {
    driver_.followers.cancel();
    try {
        driver_.save_index();
    } catch (const Error& e) {
        log::warning("the index of definitions is not written: {}", e.what());
    }
}

void QemuService::started() {
    if (driver_.definitions.index_is_stale()) {
        driver_.definitions_changed();
    }
    if (driver_.statuses.first_of_boot()) {
        driver_.ctx.tasks.spawn(actions::autostart_domains(driver_), "autostart");
    }
}

void QemuService::export_objects() {
    auto& objects = driver_.ctx.objects;
    bus::WaitingProperties waiting{&driver_.ctx.tasks,
                                   {bus::waiting<&ConnectInterface::version>("Version")}};
    objects.add_object(
        connect_path, connect_interface, connect_vtable, connect_, std::move(waiting));
    const auto find = [this](std::string_view path) {
        return driver_.registry.by_uuid(uuid_of_path(path));
    };
    const auto paths = [this](std::string (*path_of)(const Domain&)) {
        std::vector<std::string> all;
        for (const auto& [name, domain] : driver_.registry.by_names()) {
            all.push_back(path_of(*domain));
        }
        return all;
    };
    objects.add_collection<DomainInterface>(
        "/org/libvirt/QEMU/domain",
        domain_interface,
        domain_vtable,
        [this, find](std::string_view path) {
            return std::make_shared<DomainInterface>(driver_, find(path));
        },
        [paths] { return paths([](const Domain& domain) -> std::string { return domain.path; }); });
    objects.add_collection<NativeDomainInterface>(
        "/org/vireo/domain",
        native_domain_interface,
        native_domain_vtable,
        [this, find](std::string_view path) {
            return parse_memory_device_path(path)
                       ? nullptr
                       : std::make_shared<NativeDomainInterface>(driver_, find(path));
        },
        [paths] { return paths(&native_path); });
    objects.add_collection<MemoryDeviceInterface>(
        "/org/vireo/domain",
        memory_device_interface,
        memory_device_vtable,
        [this](std::string_view path) { return find_memory_device(path); },
        [this] { return memory_device_paths(); });
    objects.add_collection<SnapshotInterface>(
        snapshot_folder,
        snapshot_interface,
        snapshot_vtable,
        [this](std::string_view path) { return find_snapshot(path); },
        [this] { return snapshot_paths(); });
    objects.add_object(native_root,
                       native_connect_interface,
                       native_connect_vtable,
                       std::make_shared<NativeConnectInterface>(driver_));
    objects.add_object_manager(native_root);
}

/// Null for other objects below the same folder, and for a device that has gone.
std::shared_ptr<MemoryDeviceInterface> QemuService::find_memory_device(std::string_view path) {
    auto parts = parse_memory_device_path(path);
    const DomainPtr domain =
        parts ? driver_.registry.find_uuid(uuid_of_path(parts->domain)) : nullptr;
    if (!domain || !domain->active()) {
        return nullptr;
    }
    actions::memory_device(*domain, parts->alias);
    return std::make_shared<MemoryDeviceInterface>(driver_, domain, std::move(parts->alias));
}

std::shared_ptr<SnapshotInterface> QemuService::find_snapshot(std::string_view path) {
    auto parts = parse_snapshot_path(path);
    if (!parts) {
        throw Error(ErrorCode::no_domain_snapshot, "no domain snapshot at object path '{}'", path);
    }
    const DomainPtr domain = driver_.registry.by_uuid(parts->uuid);
    driver_.snapshots.find(domain->uuid, parts->name);
    return std::make_shared<SnapshotInterface>(driver_, domain, std::move(parts->name));
}

std::vector<std::string> QemuService::snapshot_paths() {
    std::vector<std::string> all;
    for (const std::string& uuid : driver_.snapshots.domains()) {
        const DomainPtr domain = driver_.registry.find_uuid(uuid);
        if (!domain) {
            continue;
        }
        for (const auto& [name, snapshot] : driver_.snapshots.of(uuid)) {
            all.push_back(snapshot_path(*domain, name));
        }
    }
    return all;
}

std::vector<std::string> QemuService::memory_device_paths() const {
    std::vector<std::string> all;
    for (const auto& [name, domain] : driver_.registry.by_names()) {
        if (!domain->active() || domain->guest->starting) {
            continue;
        }
        for (const MemoryDeviceDef& memory : domain->guest->live->devices.memories) {
            all.push_back(memory_device_path(*domain, *memory.info.alias));
        }
    }
    return all;
}

} // namespace vireo::qemu
