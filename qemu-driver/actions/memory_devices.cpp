// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/memory_devices.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/unplug_device.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto telling_delay = 5ms;

/// Null where there is none.
template <class Def>
auto find(Def& def, const std::string& alias) -> decltype(def.devices.memories.data()) {
    for (auto& memory : def.devices.memories) {
        if (memory.info.alias == alias) {
            return &memory;
        }
    }
    return nullptr;
}

/// What QEMU says of one device. Source: QEMU QMP reference, query-memory-devices.
void adopt(MemoryDeviceDef& memory, const json& data) {
    if (memory.model == MemoryDeviceModel::virtio_mem) {
        memory.current_kib = data.at("size").get<std::uint64_t>() / bytes_per_kib;
        memory.requested_kib = data.at("requested-size").get<std::uint64_t>() / bytes_per_kib;
        memory.block_kib = data.at("block-size").get<std::uint64_t>() / bytes_per_kib;
    } else if (data.contains("slot") && data.contains("addr")) {
        memory.info.address =
            DimmAddress{data.at("slot").get<std::uint32_t>(), data.at("addr").get<std::uint64_t>()};
    }
}

void set_live(Driver& driver, const DomainPtr& domain, std::shared_ptr<const DomainDef> live) {
    domain->guest->live = std::move(live);
    save_status_later(driver, domain);
    domain->guest->devices_changed.notify();
}

/// Tells of what differs between two live documents of a guest that clients know of.
void tell_of_changes(Driver& driver, const Domain& domain, const DomainDef& before) {
    const DomainDef& now = *domain.guest->live;
    for (const MemoryDeviceDef& memory : now.devices.memories) {
        const MemoryDeviceDef* old = find(before, *memory.info.alias);
        if (old == nullptr) {
            continue;
        }
        if (old->current_kib != memory.current_kib) {
            driver.events.memory_changed(domain, *memory.info.alias, {"Current"});
        }
        if (old->requested_kib != memory.requested_kib) {
            driver.events.memory_changed(domain, *memory.info.alias, {"Requested"});
        }
    }
    if (before.memory.current_kib != now.memory.current_kib) {
        driver.events.device(
            domain, "BalloonChange", std::uint64_t{now.memory.current_kib.value_or(0)});
    }
    tell_of_memory(driver, domain);
}

Task<void> tell_of_requests(Driver& driver,
                            DomainPtr domain,
                            std::shared_ptr<Guest> guest,
                            std::shared_ptr<const DomainDef> before) {
    co_await Sleep(driver.ctx.loop, telling_delay);
    guest->requests_untold = false;
    if (domain->guest != guest) {
        co_return;
    }
    for (const MemoryDeviceDef& memory : guest->live->devices.memories) {
        const MemoryDeviceDef* known = find(*before, *memory.info.alias);
        if (known != nullptr && known->requested_kib != memory.requested_kib) {
            driver.events.memory_changed(*domain, *memory.info.alias, {"Requested"});
        }
    }
    tell_of_memory(driver, *domain);
}

/// What the balloon leaves the guest, in KiB; all of it where there is none.
Task<std::uint64_t> balloon_kib(Driver& driver, std::shared_ptr<Guest> guest) {
    if (!has_balloon(*guest->live)) {
        co_return fixed_memory_kib(*guest->live);
    }
    const json answer = co_await monitor_command(driver, guest, "query-balloon");
    co_return answer.at("actual").get<std::uint64_t>() / bytes_per_kib;
}

} // namespace

const MemoryDeviceDef& memory_device(const Domain& domain, const std::string& alias) {
    if (!domain.guest) {
        throw Error(ErrorCode::operation_invalid, "domain is not running");
    }
    if (const MemoryDeviceDef* memory = find(*domain.guest->live, alias)) {
        return *memory;
    }
    throw Error(ErrorCode::device_missing, "the guest has no memory device '{}'", alias);
}

Task<void> refresh_memory_devices(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const bool has_devices = !guest->live->devices.memories.empty();
    // A balloon has nothing to tell of itself while its guest starts.
    if (!has_devices && (guest->starting || !has_balloon(*guest->live))) {
        co_return;
    }
    json answer = json::array();
    if (has_devices) {
        answer = co_await monitor_command(driver, guest, "query-memory-devices");
    }
    const std::uint64_t in_balloon = co_await balloon_kib(driver, guest);
    if (domain->guest != guest) {
        co_return;
    }
    std::map<std::string, json> by_id;
    for (const json& device : answer) {
        by_id.emplace(device.at("data").value("id", ""), device.at("data"));
    }
    const auto before = guest->live;
    auto live = std::make_shared<DomainDef>(*before);
    std::vector<std::string> gone;
    for (MemoryDeviceDef& memory : live->devices.memories) {
        const std::string alias = memory.info.alias.value_or("");
        const auto found = by_id.find(alias);
        if (found != by_id.end()) {
            adopt(memory, found->second);
        } else if (memory.model != MemoryDeviceModel::sgx_epc) { // QEMU gives those no id
            gone.push_back(alias);
        }
    }
    live->memory.current_kib = in_balloon + virtio_mem_kib(*live);
    set_live(driver, domain, std::move(live));
    if (!guest->starting) {
        tell_of_changes(driver, *domain, *before);
    }
    for (std::string& alias : gone) {
        co_await finish_unplug(driver, domain, guest, std::move(alias));
    }
}

void take_memory_size(Driver& driver, const DomainPtr& domain, const json& data) {
    std::string alias = data.value("id", "");
    if (alias.empty()) {
        const std::string path = data.at("qom-path").get<std::string>();
        alias = path.substr(path.rfind('/') + 1);
    }
    const auto before = domain->guest->live;
    auto live = std::make_shared<DomainDef>(*before);
    MemoryDeviceDef* memory = find(*live, alias);
    if (memory == nullptr) {
        return;
    }
    const std::uint64_t had = virtio_mem_kib(*live);
    memory->current_kib = data.at("size").get<std::uint64_t>() / bytes_per_kib;
    auto& amount = live->memory.current_kib;
    if (amount) {
        *amount = *amount - std::min(*amount, had) + virtio_mem_kib(*live);
    }
    log::debug("domain '{}': it has {} KiB of memory device '{}', {} are requested",
               domain->name,
               *memory->current_kib,
               alias,
               memory->requested_kib.value_or(0));
    set_live(driver, domain, std::move(live));
    tell_of_changes(driver, *domain, *before);
}

void take_requested_size(Driver& driver,
                         const DomainPtr& domain,
                         const std::string& alias,
                         std::uint64_t requested_kib) {
    const std::shared_ptr<Guest> guest = domain->guest;
    const auto before = guest->live;
    auto live = std::make_shared<DomainDef>(*before);
    if (MemoryDeviceDef* memory = find(*live, alias)) {
        memory->requested_kib = requested_kib;
    }
    set_live(driver, domain, std::move(live));
    if (!std::exchange(guest->requests_untold, true)) {
        driver.followers.spawn(tell_of_requests(driver, domain, guest, before),
                               "tell of requests to " + domain->name);
    }
}

void announce_memory_devices(Driver& driver, const Domain& domain) {
    for (const MemoryDeviceDef& memory : domain.guest->live->devices.memories) {
        driver.events.memory_added(domain, *memory.info.alias);
    }
}

void retire_memory_devices(Driver& driver, const Domain& domain) {
    if (domain.guest->starting) {
        return; // nobody has been told of them
    }
    for (const MemoryDeviceDef& memory : domain.guest->live->devices.memories) {
        driver.events.memory_removed(domain, *memory.info.alias);
    }
}

} // namespace vireo::qemu::actions
