// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/plug_memory.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/launch/memory_folders.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto unplug_limit = 5s;
constexpr auto empty_limit = 60s;

Task<std::shared_ptr<const QemuCapabilities>> capabilities_of(Driver& driver,
                                                              std::shared_ptr<Guest> guest) {
    std::string emulator = guest->live->devices.emulator.value_or(default_emulator());
    co_return co_await driver.capabilities.get(std::move(emulator));
}

void require_running(const Domain& domain, const std::shared_ptr<Guest>& guest) {
    if (domain.guest != guest) {
        throw Error(ErrorCode::operation_failed, "the guest has ended meanwhile");
    }
}

/// A QEMU that runs may not move threads to other CPUs, and those that started with it have done
/// their work.
Plan without_thread_contexts(Plan plan) {
    std::erase_if(plan, [](const Step& step) {
        return step.props.value("qom-type", "") == "thread-context";
    });
    for (Step& step : plan) {
        step.props.erase("prealloc-context");
    }
    return plan;
}

/// The commands that make `memory` in the guest that `def` describes with it.
Plan plan_of(const Driver& driver,
             const Guest& guest,
             const DomainDef& def,
             const QemuCapabilities& capabilities,
             const MemoryDeviceDef& memory) {
    const LaunchFacts facts = launch_facts(driver, guest);
    DescriptorList descriptors(DescriptorList::Naming::names);
    const BootOrder boot(def);
    const PlanContext context{def, capabilities, facts, descriptors, boot};
    return without_thread_contexts(plan_memory_device(context, memory));
}

/// While a device is on its way in, the status has it already.
class Intention {
  public:
    Intention(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def)
        : driver_(driver), domain_(std::move(domain)), guest_(domain_->guest) {
        guest_->intended = std::move(def);
        save_status(driver_, *domain_);
    }

    Intention(const Intention&) = delete;
    Intention& operator=(const Intention&) = delete;

    ~Intention() {
        guest_->intended.reset();
        if (domain_->guest == guest_) {
            save_status(driver_, *domain_);
        }
    }

  private:
    Driver& driver_;
    DomainPtr domain_;
    std::shared_ptr<Guest> guest_;
};

bool has_memory(const Guest& guest, const std::string& alias) {
    return std::ranges::any_of(guest.live->devices.memories, [&](const MemoryDeviceDef& memory) {
        return memory.info.alias == alias;
    });
}

Task<void> until_gone(DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    while (has_memory(*guest, alias)) {
        require_running(*domain, guest);
        if (guest->kept_devices.contains(alias)) {
            throw Error(ErrorCode::operation_failed,
                        "the guest keeps memory device '{}': it uses memory of it that it cannot "
                        "move; let it use less, or boot it with memhp_default_state=online_movable "
                        "so that such memory stays movable",
                        alias);
        }
        co_await guest->devices_changed.next();
    }
}

Task<void> until_empty(DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    while (plugged_kib(memory_device(*domain, alias)) != 0) {
        require_running(*domain, guest);
        co_await guest->devices_changed.next();
    }
}

/// Source: QEMU's change log of 8.1, "virtio-mem: unplug of the device".
void require_unplug(const Guest& guest, const MemoryDeviceDef& memory) {
    const qmp::Version& version = guest.monitor->version();
    switch (memory.model) {
    case MemoryDeviceModel::dimm:
        return;
    case MemoryDeviceModel::virtio_mem:
        if (version.major > 8 || (version.major == 8 && version.minor >= 1)) {
            return;
        }
        throw Error(
            ErrorCode::operation_unsupported,
            "QEMU {}.{} cannot remove a virtio-mem device from a running guest, 8.1 and "
            "later can; take its memory back by <requested> 0 (UpdateDevice), and detach it "
            "from the definition alone (flag CONFIG, 2)",
            version.major,
            version.minor);
    case MemoryDeviceModel::nvdimm:
    case MemoryDeviceModel::virtio_pmem:
    case MemoryDeviceModel::sgx_epc:
        break;
    }
    throw Error(ErrorCode::operation_unsupported,
                "QEMU cannot remove a memory device of model '{}' from a running guest; detach it "
                "from the definition alone (flag CONFIG, 2), and it is gone at the next start",
                name_of(memory.model));
}

Task<void> empty_virtio_mem(Driver& driver,
                            DomainPtr domain,
                            std::shared_ptr<Guest> guest,
                            std::string alias) {
    const std::uint64_t before = memory_device(*domain, alias).requested_kib.value_or(0);
    co_await request_memory(driver, domain, alias, 0);
    auto emptying = until_empty(domain, guest, alias);
    bool in_time = true;
    try {
        co_await Deadline(driver.ctx.loop, std::move(emptying), empty_limit, "emptying");
    } catch (const Error& e) {
        if (e.code() != ErrorCode::operation_timeout) {
            throw;
        }
        in_time = false;
    }
    if (!in_time) {
        const std::uint64_t left = plugged_kib(memory_device(*domain, alias));
        co_await request_memory(driver, domain, alias, before);
        throw Error(ErrorCode::operation_failed,
                    "the guest has not given back all of memory device '{}' within 60 s: it keeps "
                    "{} KiB; let it use less memory and try again",
                    alias,
                    left);
    }
}

void set_requested(Driver& driver,
                   const DomainPtr& domain,
                   const std::string& alias,
                   std::uint64_t requested_kib) {
    auto live = std::make_shared<DomainDef>(*domain->guest->live);
    for (MemoryDeviceDef& memory : live->devices.memories) {
        if (memory.info.alias == alias) {
            memory.requested_kib = requested_kib;
        }
    }
    domain->guest->live = std::move(live);
    save_status(driver, *domain);
    domain->guest->devices_changed.notify();
    driver.events.memory_changed(*domain, alias, {"Requested"});
    tell_of_memory(driver, *domain);
}

} // namespace

Task<std::string> plug_memory(Driver& driver, DomainPtr domain, MemoryDeviceDef memory) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto capabilities = co_await capabilities_of(driver, guest);
    require_running(*domain, guest);
    memory = placed_in(*guest->live, memory, host_facts(driver, capabilities));
    const std::string alias = *memory.info.alias;
    {
        auto planned = std::make_shared<DomainDef>(*guest->live);
        add_memory_device(*planned, memory);
        Plan plan = plan_of(driver, *guest, *planned, *capabilities, memory);
        const MemoryFolders folders(*planned, launch_facts(driver, *guest));
        const Intention intention(driver, domain, std::move(planned));
        co_await run_plan(driver, guest, std::move(plan));
        require_running(*domain, guest);
        auto live = std::make_shared<DomainDef>(*guest->live);
        add_memory_device(*live, std::move(memory));
        guest->live = std::move(live);
    }
    log::info("domain '{}': memory device '{}' is attached", domain->name, alias);
    driver.events.memory_added(*domain, alias);
    driver.events.device(*domain, "DeviceAdded", alias);
    tell_of_memory(driver, *domain);
    co_await refresh_memory_devices(driver, domain, guest);
    co_return alias;
}

Task<void> unplug_memory(Driver& driver, DomainPtr domain, std::string alias) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const MemoryDeviceModel model = memory_device(*domain, alias).model;
    require_unplug(*guest, memory_device(*domain, alias));
    if (model == MemoryDeviceModel::virtio_mem) {
        co_await empty_virtio_mem(driver, domain, guest, alias);
    }
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
        log::info("domain '{}': the guest was asked to let memory device '{}' go and has not yet",
                  domain->name,
                  alias);
    }
}

Task<void>
request_memory(Driver& driver, DomainPtr domain, std::string alias, std::uint64_t requested_kib) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const MemoryDeviceDef& memory = memory_device(*domain, alias);
    require_requestable(memory, requested_kib);
    json arguments;
    arguments["path"] = "/machine/peripheral/" + alias;
    arguments["property"] = "requested-size";
    arguments["value"] = requested_kib * 1024;
    co_await monitor_command(driver, guest, "qom-set", std::move(arguments));
    require_running(*domain, guest);
    set_requested(driver, domain, alias, requested_kib);
}

Task<void>
finish_unplug(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    try {
        const auto capabilities = co_await capabilities_of(driver, guest);
        if (domain->guest != guest || !has_memory(*guest, alias)) {
            co_return;
        }
        Plan plan =
            plan_of(driver, *guest, *guest->live, *capabilities, memory_device(*domain, alias));
        plan.pop_back(); // the device itself
        co_await undo_plan(driver, guest, std::move(plan));
        if (domain->guest != guest || !has_memory(*guest, alias)) {
            co_return;
        }
        driver.events.memory_removed(*domain, alias);
        auto live = std::make_shared<DomainDef>(*guest->live);
        std::size_t place = 0;
        while (live->devices.memories[place].info.alias != alias) {
            ++place;
        }
        remove_memory_device(*live, place);
        guest->live = std::move(live);
        save_status(driver, *domain);
        log::info("domain '{}': memory device '{}' has gone", domain->name, alias);
        driver.events.device(*domain, "DeviceRemoved", alias);
        tell_of_memory(driver, *domain);
        guest->devices_changed.notify();
        co_await refresh_memory_devices(driver, domain, guest);
    } catch (const Error& e) {
        log::error("domain '{}': memory device '{}' went, and what was behind it has not: {}",
                   domain->name,
                   alias,
                   e.what());
    }
}

void take_device_deleted(Driver& driver, const DomainPtr& domain, const json& data) {
    std::string alias = data.value("device", "");
    if (has_memory(*domain->guest, alias)) {
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
