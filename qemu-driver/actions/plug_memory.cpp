// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/plug_memory.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/model/memory_devices.hpp"

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto empty_limit = 60s;

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

} // namespace

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
    take_requested_size(driver, domain, alias, requested_kib);
}

Task<void> prepare_memory_unplug(Driver& driver, DomainPtr domain, MemoryDeviceDef memory) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    require_unplug(*guest, memory);
    if (memory.model == MemoryDeviceModel::virtio_mem) {
        co_await empty_virtio_mem(driver, domain, guest, memory.info.alias.value_or(""));
    }
}

Task<void> undo_memory_unplug(Driver& driver, DomainPtr domain, MemoryDeviceDef memory) {
    const std::string alias = memory.info.alias.value_or("");
    if (memory.model != MemoryDeviceModel::virtio_mem) {
        co_return;
    }
    try {
        co_await request_memory(driver, domain, alias, memory.requested_kib.value_or(0));
    } catch (const Error& e) {
        log::warning("domain '{}': memory device '{}' is still there, emptied, and cannot be given "
                     "back what it had: {}",
                     domain->name,
                     alias,
                     e.what());
    }
}

} // namespace vireo::qemu::actions
