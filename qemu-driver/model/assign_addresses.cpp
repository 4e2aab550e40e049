// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/assign_addresses.hpp"

#include "qemu-driver/model/problem.hpp"

#include <set>

namespace vireo::qemu {

void assign_memory_slots(DomainDef& def) {
    if (!def.memory.max) {
        return;
    }
    std::set<uint32_t> taken;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        const auto* at = std::get_if<DimmAddress>(&memory.info.address);
        if (at != nullptr && at->slot) {
            taken.insert(*at->slot);
        }
    }
    for (MemoryDeviceDef& memory : def.devices.memories) {
        const bool slotted =
            memory.model == MemoryDeviceModel::dimm || memory.model == MemoryDeviceModel::nvdimm;
        if (!slotted || std::holds_alternative<DimmAddress>(memory.info.address)) {
            continue;
        }
        uint32_t slot = 0;
        while (taken.contains(slot)) {
            ++slot;
        }
        if (slot >= def.memory.max->slots) {
            refuse(memory.info.where,
                   "memory",
                   "all {} memory slots are taken; raise slots of <maxMemory>",
                   def.memory.max->slots);
        }
        taken.insert(slot);
        memory.info.address = DimmAddress{.slot = slot, .base = {}};
    }
}

void assign_addresses(DomainDef& def, const HostFacts& facts, const PassOptions& options) {
    assign_virtio_serial_addresses(def);
    assign_pci_addresses(def, facts);
    assign_usb_addresses(def, options);
    assign_memory_slots(def);
}

} // namespace vireo::qemu
