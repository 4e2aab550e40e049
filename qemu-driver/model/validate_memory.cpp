// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/numa_cells.hpp"
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <bit>
#include <set>

namespace vireo::qemu {

namespace {

void check_virtio_mem(const MemoryDeviceDef& memory) {
    constexpr uint64_t least_kib = 1024; // the host's pages may want more
    const xml::Where where = memory.info.where;
    if (!memory.block_kib) {
        refuse(where, "target", "it needs <block>, what it gives and takes at a time");
    }
    const uint64_t block = *memory.block_kib;
    const uint64_t requested = memory.requested_kib.value_or(0);
    if (!std::has_single_bit(block) || block < least_kib) {
        refuse(where, "block", "{} KiB is not a power of two from {} KiB on", block, least_kib);
    }
    if (!memory.requested_kib) {
        refuse(where, "target", "it needs <requested>, what the guest gets at first");
    }
    if (requested > memory.size_kib) {
        refuse(
            where, "requested", "{} KiB is more than <size>, {} KiB", requested, memory.size_kib);
    }
    if (requested % block != 0 || memory.size_kib % block != 0) {
        refuse(where,
               requested % block != 0 ? "requested" : "size",
               "{} KiB is not a multiple of <block>, {} KiB",
               requested % block != 0 ? requested : memory.size_kib,
               block);
    }
}

void check_memory(const MemoryDeviceDef& memory) {
    const xml::Where where = memory.info.where;
    const bool has_path = memory.source && memory.source->path;
    const bool nvdimm = memory.model == MemoryDeviceModel::nvdimm;
    const bool pmem = memory.model == MemoryDeviceModel::virtio_pmem;
    if ((nvdimm || pmem) && !has_path) {
        refuse(
            where, "source", "model '{}' needs <path>, the file behind it", name_of(memory.model));
    }
    if ((nvdimm || pmem) && memory.discard == YesNo::yes) {
        refuse(
            where, "memory", "discard='yes': what model '{}' holds is kept", name_of(memory.model));
    }
    if (memory.uuid) {
        refuse(where, "uuid", "NVDIMMs of a PC have none");
    }
    if (pmem && memory.access != MemoryAccess::shared) {
        refuse(where, "memory", "model 'virtio-pmem' needs access='shared'");
    }
    if (pmem && memory.node) {
        refuse(where, "node", "model 'virtio-pmem' is in no NUMA cell");
    }
    if (memory.model == MemoryDeviceModel::virtio_mem) {
        check_virtio_mem(memory);
    }
    constexpr uint64_t least_label_kib = 128;
    if (memory.label_size_kib && *memory.label_size_kib < least_label_kib) {
        refuse(
            where, "label", "size {} KiB is below {} KiB", *memory.label_size_kib, least_label_kib);
    }
    if (memory.label_size_kib && *memory.label_size_kib >= memory.size_kib) {
        refuse(where, "label", "it takes {} of {} KiB", *memory.label_size_kib, memory.size_kib);
    }
    if (memory.readonly && !nvdimm) {
        refuse(where, "readonly", "it is for model 'nvdimm', not '{}'", name_of(memory.model));
    }
}

void check_slots(const DomainDef& def) {
    std::set<uint32_t> slots;
    check_each(def.devices.memories, [&](const MemoryDeviceDef& memory) {
        const auto* at = std::get_if<DimmAddress>(&memory.info.address);
        if (at == nullptr || !at->slot) {
            return;
        }
        if (!slots.insert(*at->slot).second) {
            refuse(memory.info.where, "address", "slot='{}' is used twice", *at->slot);
        }
        if (def.memory.max && *at->slot >= def.memory.max->slots) {
            refuse(memory.info.where,
                   "address",
                   "slot='{}': <maxMemory> has {}",
                   *at->slot,
                   def.memory.max->slots);
        }
    });
}

void check_max_memory(const DomainDef& def) {
    const auto& max = def.memory.max;
    if (max && max->kib < def.memory.total_kib) {
        refuse(def.where,
               "maxMemory",
               "{} KiB is less than <memory>, {} KiB",
               max->kib,
               def.memory.total_kib);
    }
    if (max && max->slots > 0 && cell_count(def) == 0) {
        refuse(def.where, "maxMemory", "memory is plugged into NUMA cells: add one in <cpu><numa>");
    }
}

void check_dimm_address(const MemoryDeviceDef& memory) {
    const bool slotted =
        memory.model == MemoryDeviceModel::dimm || memory.model == MemoryDeviceModel::nvdimm;
    const bool none = std::holds_alternative<std::monostate>(memory.info.address);
    const bool dimm = std::holds_alternative<DimmAddress>(memory.info.address);
    if (!none && slotted != dimm && memory.model != MemoryDeviceModel::sgx_epc &&
        (slotted || memory.info.pci() == nullptr)) {
        refuse(memory.info.where,
               "address",
               "model '{}' has type='{}'",
               name_of(memory.model),
               slotted ? "dimm" : "pci");
    }
}

void check_total(const DomainDef& def) {
    uint64_t plugged = 0;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        plugged += memory.model == MemoryDeviceModel::sgx_epc ? 0 : memory.size_kib;
    }
    if (plugged > def.memory.total_kib) {
        refuse(def.where,
               "memory",
               "{} KiB are less than the memory devices in it, {} KiB",
               def.memory.total_kib,
               plugged);
    }
}

void check_backing(const DomainDef& def) {
    if (!def.memory_backing) {
        return;
    }
    const MemoryBackingDef& b = *def.memory_backing;
    if (b.hugepages && b.allocation == MemoryAllocation::ondemand) {
        refuse(b.where, "allocation", "mode='ondemand': huge pages are taken at the start");
    }
    if (b.hugepages && b.source == MemoryBackingSource::anonymous) {
        refuse(b.where, "source", "type='anonymous': huge pages come from files; use 'memfd'");
    }
    if (b.source == MemoryBackingSource::anonymous && b.access == MemoryAccess::shared) {
        refuse(b.where, "access", "mode='shared' needs <source type='memfd'/> or 'file'");
    }
}

/// Sizes are rounded up to MiB, which must not go beyond what can be counted in bytes.
void check_sizes(const DomainDef& def) {
    constexpr uint64_t most_kib = 9007199254740991, mib_kib = 1024;
    const auto check = [&](xml::Where where, std::string_view element, uint64_t kib) {
        if (kib > most_kib - mib_kib + 1) {
            refuse(where, element, "{} KiB is more than any machine has", kib);
        }
    };
    check(def.where, "memory", def.memory.total_kib);
    if (def.cpu) {
        for (const NumaCell& cell : def.cpu->cells) {
            check(cell.where, "cell", cell.memory_kib);
        }
    }
}

void check_guarantee(const DomainDef& def) {
    if (def.memtune && def.memtune->min_guarantee_kib) {
        refuse(def.where, "min_guarantee", "Linux has no such limit; remove the element");
    }
}

} // namespace

void require_shared_memory(const DomainDef& def,
                           xml::Where where,
                           std::string_view element,
                           std::string_view what) {
    const auto whole = def.memory_backing ? def.memory_backing->access : std::nullopt;
    bool shared = cell_count(def) != 0 || whole == MemoryAccess::shared;
    for (std::size_t i = 0; i < cell_count(def); ++i) {
        const auto own = def.cpu->cells[i].access;
        shared &= (own ? own : whole) == MemoryAccess::shared;
    }
    if (!shared) {
        refuse(where,
               element,
               "{} needs memory that its server can reach: <memoryBacking> with <access "
               "mode='shared'/>",
               what);
    }
}

void validate_memory(const DomainDef& def) {
    check_all([&] { validate_guest_numa(def); },
              [&] { check_each(def.devices.memories, check_memory); },
              [&] { check_slots(def); });
}

void validate_qemu_memory(const DomainDef& def) {
    check_all([&] { check_sizes(def); },
              [&] { check_max_memory(def); },
              [&] { check_each(def.devices.memories, check_dimm_address); },
              [&] { check_total(def); },
              [&] { check_backing(def); },
              [&] { check_guarantee(def); });
}

} // namespace vireo::qemu
