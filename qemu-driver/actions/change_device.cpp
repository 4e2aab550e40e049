// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/change_device.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/both_documents.hpp"
#include "qemu-driver/actions/change_medium.hpp"
#include "qemu-driver/actions/impact.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/plug_device.hpp"
#include "qemu-driver/actions/plug_memory.hpp"
#include "qemu-driver/actions/unplug_device.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <functional>

namespace vireo::qemu::actions {

namespace {

constexpr std::uint32_t force_flag = 4; // VIR_DOMAIN_DEVICE_MODIFY_FORCE

/// A client's document of one device. What is not known in it is logged.
Device read_device(const Domain& domain, const std::string& text, bool keep_alias = true) {
    xml::Problems unknowns;
    Device device = parse_device(text, keep_alias, &unknowns);
    if (!unknowns.empty()) {
        log::warning("domain '{}': passed over what is not known of a device: {}",
                     domain.name,
                     unknowns.text());
    }
    return device;
}

/// The stored definition as `change` leaves it, completed and checked.
Task<Definition> edited(Driver& driver, DomainPtr domain, std::function<void(DomainDef&)> change) {
    auto def = std::make_shared<DomainDef>(stored_definition(driver, *domain));
    std::string emulator = def->devices.emulator.value_or(default_emulator());
    const auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    change(*def);
    complete_domain(*def, host_facts(driver, capabilities), PassOptions{});
    co_return std::move(def);
}

Task<void> plug_again(Driver& driver, DomainPtr domain, Device device) {
    co_await plug_device(driver, domain, std::move(device));
}

/// The alias of a device that the running guest has.
std::string alias_in(const Guest& guest, const Device& wanted) {
    const std::size_t place = find_device(*guest.live, wanted);
    return info_of(device_at(*guest.live, wanted, place)).alias.value_or("");
}

Task<void> attach(Driver& driver, DomainPtr domain, Device device, Impact impact) {
    Definition stored;
    if (impact.config) {
        auto adding = [device](DomainDef& def) { add_device(def, device); };
        stored = co_await edited(driver, domain, std::move(adding));
    }
    TakeBack take_back;
    if (impact.live) {
        const std::string alias = co_await plug_device(driver, domain, std::move(device));
        take_back = [&driver, domain, alias] { return unplug_device(driver, domain, alias); };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
}

Task<void> detach(Driver& driver, DomainPtr domain, Device wanted, Impact impact) {
    Definition stored;
    if (impact.config) {
        auto removing = [wanted](DomainDef& def) {
            remove_device(def, wanted, find_device(def, wanted));
        };
        stored = co_await edited(driver, domain, std::move(removing));
    }
    TakeBack take_back;
    if (impact.live) {
        const std::shared_ptr<Guest> guest = active_guest(*domain);
        const std::string alias = alias_in(*guest, wanted);
        Device known = *device_named(*guest->live, alias);
        co_await unplug_device(driver, domain, alias);
        take_back = [&driver, domain, known] { return plug_again(driver, domain, known); };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
}

Task<void> update(Driver& driver, DomainPtr domain, MemoryDeviceDef wanted, Impact impact) {
    const std::uint64_t requested_kib = wanted.requested_kib.value_or(0);
    Definition stored;
    if (impact.config) {
        auto requesting = [wanted, requested_kib](DomainDef& def) {
            MemoryDeviceDef& known = def.devices.memories[find_memory_device(def, wanted)];
            require_same_but_requested(known, wanted);
            known.requested_kib = requested_kib;
        };
        stored = co_await edited(driver, domain, std::move(requesting));
    }
    TakeBack take_back;
    if (impact.live) {
        const std::string alias = alias_in(*active_guest(*domain), wanted);
        const MemoryDeviceDef known = memory_device(*domain, alias);
        require_same_but_requested(known, wanted);
        co_await request_memory(driver, domain, alias, requested_kib);
        const std::uint64_t before_kib = known.requested_kib.value_or(0);
        take_back = [&driver, domain, alias, before_kib] {
            return request_memory(driver, domain, alias, before_kib);
        };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
}

Task<void> update(Driver& driver, DomainPtr domain, DiskDef wanted, Impact impact, bool force) {
    Definition stored;
    if (impact.config) {
        auto replacing = [wanted](DomainDef& def) { replace_disk(def, wanted); };
        stored = co_await edited(driver, domain, std::move(replacing));
    }
    TakeBack take_back;
    if (impact.live) {
        const std::shared_ptr<Guest> guest = active_guest(*domain);
        const DiskDef known = guest->live->devices.disks[find_device(*guest->live, wanted)];
        co_await change_medium(driver, domain, std::move(wanted), force);
        take_back = [&driver, domain, known] { return change_medium(driver, domain, known, true); };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
}

Task<void> update_any(Driver& driver, DomainPtr domain, Device device, Impact impact, bool force) {
    if (const auto* memory = std::get_if<MemoryDeviceDef>(&device)) {
        return update(driver, domain, *memory, impact);
    }
    if (const auto* disk = std::get_if<DiskDef>(&device)) {
        return update(driver, domain, *disk, impact, force);
    }
    throw Error(ErrorCode::operation_unsupported,
                "{} cannot be changed, a disk's medium and a virtio-mem device's <requested> can; "
                "detach it and attach another",
                words_of(device));
}

} // namespace

Task<void> attach_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    // Only names of the user's own are taken; the daemon gives the others.
    Device device = read_device(*domain, xml, false);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags);
    co_await attach(driver, domain, std::move(device), impact);
}

Task<void> detach_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    Device device = read_device(*domain, xml);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags);
    co_await detach(driver, domain, std::move(device), impact);
}

Task<void> update_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    Device device = read_device(*domain, xml);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags & ~force_flag);
    const bool force = (flags & force_flag) != 0;
    co_await update_any(driver, domain, std::move(device), impact, force);
}

} // namespace vireo::qemu::actions
