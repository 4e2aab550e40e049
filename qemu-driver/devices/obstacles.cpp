// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/obstacles.hpp"

#include "qemu-driver/devices/function_obstacles.hpp"
#include "qemu-driver/devices/memlock.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace vireo::qemu {

namespace {

/// What QEMU's NVMe driver can address for DMA, in KiB. Source: QEMU, util/vfio-helpers.c, which
/// hands out addresses below 2^39.
constexpr uint64_t nvme_address_space_kib = uint64_t{512} << 20;
constexpr uint64_t kib_bytes = 1024;

/// Two namespaces of one controller: QEMU's driver opens the IOMMU group for each anew, and the
/// kernel allows one open.
void check_namespaces(const std::vector<HostFunction>& functions, std::vector<Obstacle>& found) {
    for (std::size_t i = 0; i < functions.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const HostFunction& one = functions[i];
            const HostFunction& other = functions[j];
            if (!same_place(one.address, other.address) || !(one.nvme() || other.nvme())) {
                continue;
            }
            const std::string address = format_function(one.address);
            Obstacle each = obstacle_of(ErrorCode::config_unsupported, "namespaces", one);
            if (one.nvme() && other.nvme()) {
                each.cause = fmt::format(
                    "namespace {} is on controller {}, of which {} has namespace {}: QEMU's NVMe "
                    "driver opens the controller's VFIO group anew for each disk, and the kernel "
                    "allows one open",
                    one.namespace_id,
                    address,
                    other.element,
                    other.namespace_id);
                each.ways_out = {
                    "keep one namespace by type='nvme' and take the others by <disk type='block'> "
                    "on another controller",
                    whole_controller_way};
            } else {
                each.cause =
                    fmt::format("controller {} is both an NVMe disk and a PCI device of the guest "
                                "({}): only one of them can open it",
                                address,
                                other.element);
                each.ways_out = {"leave out one of the two"};
            }
            found.push_back(std::move(each));
            break;
        }
    }
}

void check_virtio_mem(const DomainDef& def,
                      const std::vector<HostFunction>& functions,
                      std::vector<Obstacle>& found) {
    const auto memory = std::ranges::find(
        def.devices.memories, MemoryDeviceModel::virtio_mem, &MemoryDeviceDef::model);
    const auto disk = std::ranges::find_if(functions, &HostFunction::nvme);
    if (memory == def.devices.memories.end() || disk == functions.end()) {
        return;
    }
    Obstacle each = obstacle_of(ErrorCode::config_unsupported, "virtio-mem", *disk);
    each.cause = fmt::format(
        "QEMU's NVMe driver pins all of the guest's memory, and the virtio-mem device{} gives back "
        "what is not plugged: QEMU refuses the two together",
        memory->info.where.line == 0 ? std::string()
                                     : fmt::format(" of line {}", memory->info.where.line));
    each.ways_out = {
        block_way(*disk), whole_controller_way, "take <memory model='dimm'> for virtio-mem"};
    found.push_back(std::move(each));
}

uint64_t most_memory_kib(const DomainDef& def) {
    return std::max(def.memory.total_kib, def.memory.max ? def.memory.max->kib : 0);
}

void check_memory(const DomainDef& def,
                  const std::vector<HostFunction>& functions,
                  std::vector<Obstacle>& found) {
    const auto disk = std::ranges::find_if(functions, &HostFunction::nvme);
    const uint64_t most_kib = most_memory_kib(def);
    if (disk == functions.end() || most_kib < nvme_address_space_kib) {
        return;
    }
    Obstacle each = obstacle_of(ErrorCode::config_unsupported, "guest-memory", *disk);
    each.cause = fmt::format("the guest may have {} KiB of memory ({}), and QEMU's NVMe driver can "
                             "reach less than {} KiB (512 GiB)",
                             most_kib,
                             def.memory.max ? "<maxMemory>" : "<memory>",
                             nvme_address_space_kib);
    each.ways_out = {
        "give the guest less memory, <maxMemory> included", whole_controller_way, block_way(*disk)};
    found.push_back(std::move(each));
}

/// One NVMe disk opens its group alone, whoever else is in it.
void check_shared_groups(const std::vector<HostFunction>& functions,
                         const FactsByAddress& facts,
                         std::vector<Obstacle>& found) {
    for (std::size_t i = 0; i < functions.size(); ++i) {
        const HostFunction& one = functions[i];
        const auto known = facts.find(format_function(one.address));
        for (std::size_t j = 0; j < i && known != facts.end(); ++j) {
            const HostFunction& other = functions[j];
            const auto others = facts.find(format_function(other.address));
            if (others == facts.end() || same_place(one.address, other.address) ||
                !(one.nvme() || other.nvme()) || known->second.group.empty() ||
                known->second.group != others->second.group) {
                continue;
            }
            Obstacle each = obstacle_of(ErrorCode::config_unsupported, "shared-group", one);
            each.cause = fmt::format("{} is in IOMMU group {}, and so is {} of {}: QEMU's NVMe "
                                     "driver opens the group for itself, and the kernel allows one "
                                     "open",
                                     format_function(one.address),
                                     known->second.group,
                                     format_function(other.address),
                                     other.element);
            each.ways_out = {
                "give the guest all of the group by <hostdev>",
                "take <disk type='block'> for one of them and leave that controller to "
                "the host, where the group allows it",
                "put the drives into slots that the IOMMU can tell apart"};
            found.push_back(std::move(each));
            break;
        }
    }
}

void check_locking(const DomainDef& def,
                   const std::vector<HostFunction>& functions,
                   const LockLimits& limits,
                   std::vector<Obstacle>& found) {
    if (functions.empty()) {
        return;
    }
    const uint64_t needed = locked_memory_limit(def);
    Obstacle each = obstacle_of(ErrorCode::config_unsupported, "locked-memory", functions.front());
    const uint64_t pinned = def.memory.total_kib * kib_bytes;
    if (needed < pinned) {
        each.cause = fmt::format(
            "<hard_limit> lets the guest lock {} bytes, and its device must reach all of its "
            "memory, {} bytes",
            needed,
            pinned);
        each.ways_out = {"raise <memtune><hard_limit> by 1 GiB above the guest's memory",
                         "leave <hard_limit> out: the limit is computed then"};
    } else if (!limits.may_raise && needed > limits.hard_bytes) {
        each.cause = fmt::format(
            "the guest must be allowed to lock {} bytes of memory, and this daemon may allow {}",
            needed,
            limits.hard_bytes);
        each.ways_out = {"raise LimitMEMLOCK= of the daemon's unit (vireo-qemud.service), or the "
                         "user's memlock limit (limits.conf)",
                         "run the guest on the system's instance"};
    } else {
        return;
    }
    found.push_back(std::move(each));
}

} // namespace

std::string lease_holder(const std::string& uuid) {
    return "domain/" + uuid;
}

Error to_error(const std::vector<Obstacle>& obstacles) {
    const Obstacle& first = obstacles.front();
    std::string text = first.line == 0 ? std::string() : fmt::format("line {}: ", first.line);
    if (!first.element.empty()) {
        text += first.element + ": ";
    }
    text += first.cause;
    if (!first.ways_out.empty()) {
        text += fmt::format("; {}", fmt::join(first.ways_out, ", or "));
    }
    if (obstacles.size() > 1) {
        text += fmt::format("; {} more: org.vireo.Connect1.CheckDomain lists them",
                            obstacles.size() - 1);
    }
    return {first.code, "{}", text};
}

std::vector<Obstacle> document_obstacles(const DomainDef& def) {
    const std::vector<HostFunction> functions = host_functions(def);
    std::vector<Obstacle> found;
    check_namespaces(functions, found);
    check_virtio_mem(def, functions, found);
    check_memory(def, functions, found);
    return found;
}

std::vector<Obstacle> host_obstacles(const DomainDef& def,
                                     const std::vector<HostFunction>& functions,
                                     const FactsByAddress& facts,
                                     const LockLimits& limits,
                                     const std::vector<OtherGuest>& others) {
    std::vector<Obstacle> found = document_obstacles(def);
    check_shared_groups(host_functions(def), facts, found);
    check_locking(def, functions, limits, found);
    const std::string holder = lease_holder(def.uuid.value_or(""));
    std::set<std::string> seen;
    for (const HostFunction& function : functions) {
        const std::string address = format_function(function.address);
        const auto known = facts.find(address);
        const bool again =
            !seen.insert(address + "/" + std::to_string(function.namespace_id)).second;
        if (known != facts.end() && !again) {
            add_function_obstacles(functions, function, known->second, others, holder, found);
        }
    }
    return found;
}

} // namespace vireo::qemu
