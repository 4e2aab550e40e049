// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/change_device.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/impact.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/plug_memory.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <functional>

namespace vireo::qemu::actions {

namespace {

constexpr std::uint32_t force_flag = 4; // VIR_DOMAIN_DEVICE_MODIFY_FORCE

using Definition = std::shared_ptr<const DomainDef>;
using TakeBack = std::function<Task<void>()>;

/// A client's document of one device. What is not known in it is logged.
Device read_device(const Domain& domain, const std::string& text) {
    xml::Problems unknowns;
    Device device = parse_device(text, unknowns);
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

/// Stores `def`, unless it is null. Where that fails the running guest is changed back, if it was
/// changed.
Task<void> store_or(Driver& driver, DomainPtr domain, Definition def, TakeBack take_back) {
    if (!def) {
        co_return;
    }
    std::exception_ptr failure;
    try {
        co_await store_definition(driver, domain, std::move(def));
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) {
        co_return;
    }
    if (take_back) {
        auto undoing = take_back();
        try {
            co_await std::move(undoing);
        } catch (const Error& e) {
            log::error("domain '{}': its definition could not be written, and its running guest "
                       "could not be changed back: {}",
                       domain->name,
                       e.what());
        }
    }
    std::rethrow_exception(failure);
}

Task<void> plug_again(Driver& driver, DomainPtr domain, MemoryDeviceDef memory) {
    co_await plug_memory(driver, domain, std::move(memory));
}

/// The alias of a device that the running guest has.
std::string alias_in(const Guest& guest, const MemoryDeviceDef& wanted) {
    const std::size_t place = find_memory_device(*guest.live, wanted);
    return *guest.live->devices.memories[place].info.alias;
}

Task<void> attach(Driver& driver, DomainPtr domain, MemoryDeviceDef memory, Impact impact) {
    // Only names of the user's own are taken; the daemon gives the others.
    if (memory.info.alias && !memory.info.alias->starts_with("ua-")) {
        memory.info.alias.reset();
    }
    Definition stored;
    if (impact.config) {
        auto adding = [memory](DomainDef& def) { add_memory_device(def, memory); };
        stored = co_await edited(driver, domain, std::move(adding));
    }
    TakeBack take_back;
    if (impact.live) {
        const std::string alias = co_await plug_memory(driver, domain, std::move(memory));
        take_back = [&driver, domain, alias] { return unplug_memory(driver, domain, alias); };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
}

Task<void> detach(Driver& driver, DomainPtr domain, MemoryDeviceDef wanted, Impact impact) {
    Definition stored;
    if (impact.config) {
        auto removing = [wanted](DomainDef& def) {
            remove_memory_device(def, find_memory_device(def, wanted));
        };
        stored = co_await edited(driver, domain, std::move(removing));
    }
    TakeBack take_back;
    if (impact.live) {
        const std::string alias = alias_in(*active_guest(*domain), wanted);
        MemoryDeviceDef known = memory_device(*domain, alias);
        co_await unplug_memory(driver, domain, alias);
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

} // namespace

Task<void> attach_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    const Device device = read_device(*domain, xml);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags);
    auto attaching =
        std::visit([&](const auto& one) { return attach(driver, domain, one, impact); }, device);
    co_await std::move(attaching);
}

Task<void> detach_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    const Device device = read_device(*domain, xml);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags);
    auto detaching =
        std::visit([&](const auto& one) { return detach(driver, domain, one, impact); }, device);
    co_await std::move(detaching);
}

Task<void> update_device(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    const Device device = read_device(*domain, xml);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags & ~force_flag);
    auto updating =
        std::visit([&](const auto& one) { return update(driver, domain, one, impact); }, device);
    co_await std::move(updating);
}

} // namespace vireo::qemu::actions
