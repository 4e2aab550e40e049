// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <bit>
#include <map>

namespace vireo::qemu {

namespace {

const NumaCell* find_cell(const DomainDef& def, uint32_t id) {
    if (!def.cpu) {
        return nullptr;
    }
    const auto found =
        std::ranges::find_if(def.cpu->cells, [&](const NumaCell& c) { return c.id == id; });
    return found != def.cpu->cells.end() ? &*found : nullptr;
}

std::size_t cell_count(const DomainDef& def) {
    return def.cpu ? def.cpu->cells.size() : 0;
}

void check_hugepages(const DomainDef& def) {
    if (!def.memory_backing || !def.memory_backing->hugepages) {
        return;
    }
    const xml::Where where = def.memory_backing->where;
    const HugePage* master = nullptr;
    std::map<uint32_t, uint64_t> sizes;
    for (const HugePage& page : def.memory_backing->hugepages->pages) {
        // Without cells all memory is node 0.
        const bool everywhere = !page.nodeset || (cell_count(def) == 0 && *page.nodeset == "0");
        if (everywhere) {
            if (master != nullptr) {
                refuse(where,
                       "page",
                       "sizes {} KiB and {} KiB are both for all memory; one can be",
                       master->size_kib,
                       page.size_kib);
            }
            master = &page;
            continue;
        }
        for (const uint32_t cell : ids_of(*page.nodeset, where, "page")) {
            if (cell >= std::max<std::size_t>(cell_count(def), 1)) {
                refuse(
                    where, "page", "nodeset='{}': there is no NUMA cell '{}'", *page.nodeset, cell);
            }
            if (!sizes.emplace(cell, page.size_kib).second) {
                refuse(where,
                       "page",
                       "NUMA cell '{}' has pages of {} KiB and of {} KiB",
                       cell,
                       sizes[cell],
                       page.size_kib);
            }
        }
    }
}

void check_cells(const DomainDef& def) {
    if (!def.cpu) {
        return;
    }
    const xml::Where where = def.cpu->where;
    std::map<uint32_t, uint32_t> of_cpu;
    uint32_t expected = 0;
    for (const NumaCell& cell : def.cpu->cells) {
        if (*cell.id != expected++) {
            refuse(where,
                   "cell",
                   "id='{}': cells have the numbers from 0 on, each once, without a gap",
                   *cell.id);
        }
        if (!cell.cpus) {
            continue;
        }
        for (const uint32_t cpu : ids_of(*cell.cpus, where, "cell")) {
            if (!of_cpu.emplace(cpu, *cell.id).second) {
                refuse(where,
                       "cell",
                       "vCPU {} is in cell '{}' and in '{}'",
                       cpu,
                       of_cpu[cpu],
                       *cell.id);
            }
        }
    }
    if (!of_cpu.empty() && of_cpu.rbegin()->first >= def.vcpus.maximum) {
        refuse(where,
               "cell",
               "vCPU {} is not there; <vcpu> has {} and the first is 0",
               of_cpu.rbegin()->first,
               def.vcpus.maximum);
    }
    constexpr uint32_t local = 10, unreachable = 255;
    for (const NumaCell& cell : def.cpu->cells) {
        std::map<uint32_t, uint32_t> distances;
        for (const NumaSibling& sibling : cell.distances) {
            if (find_cell(def, sibling.id) == nullptr) {
                refuse(where, "sibling", "id='{}': there is no such cell", sibling.id);
            }
            if (sibling.value < local || sibling.value > unreachable ||
                (sibling.id == *cell.id) != (sibling.value == local)) {
                refuse(where,
                       "sibling",
                       "value='{}': a distance is {} in a cell, and more, up to {}, to another",
                       sibling.value,
                       local,
                       unreachable);
            }
            if (!distances.emplace(sibling.id, sibling.value).second) {
                refuse(
                    where, "sibling", "id='{}' is there twice in cell '{}'", sibling.id, *cell.id);
            }
        }
        for (const HmatCache& cache : cell.caches) {
            if (cache.level == 0) {
                refuse(where, "cache", "level='0': the first level is 1");
            }
        }
    }
}

void check_hmat(const CpuDef& cpu, const DomainDef& def) {
    for (const auto& interconnect : cpu.interconnects) {
        std::visit(
            [&](const HmatInterconnect& i) {
                const NumaCell* from = find_cell(def, i.initiator);
                if (from == nullptr || find_cell(def, i.target) == nullptr) {
                    refuse(cpu.where,
                           "interconnects",
                           "initiator='{}', target='{}': both are ids of cells",
                           i.initiator,
                           i.target);
                }
                if (!from->cpus) {
                    refuse(cpu.where,
                           "interconnects",
                           "initiator='{}' has no vCPUs that could access memory",
                           i.initiator);
                }
            },
            interconnect);
    }
}

void check_numatune(const DomainDef& def) {
    if (!def.numatune) {
        return;
    }
    const xml::Where where = def.numatune->where;
    const auto& memory = def.numatune->memory;
    if (memory && memory->placement == NumaPlacement::static_ && !memory->nodeset) {
        refuse(where, "memory", "placement='static' needs nodeset=, nodes of the host");
    }
    if (memory && !memory->placement && !memory->nodeset &&
        def.vcpus.placement != Placement::auto_) {
        refuse(where, "memory", "it needs nodeset=, nodes of the host, or placement='auto'");
    }
    std::map<uint32_t, bool> seen;
    for (const NumaMemnode& node : def.numatune->memnodes) {
        if (find_cell(def, node.cell) == nullptr) {
            refuse(where, "memnode", "cellid='{}': <cpu><numa> has no such cell", node.cell);
        }
        if (!seen.emplace(node.cell, true).second) {
            refuse(where, "memnode", "cellid='{}' is there twice", node.cell);
        }
        if (memory && memory->placement == NumaPlacement::auto_) {
            refuse(where, "memnode", "with placement='auto' the host chooses for all cells");
        }
        const bool restrictive = node.mode == NumaMode::restrictive;
        if (memory && restrictive != (memory->mode == NumaMode::restrictive)) {
            refuse(where,
                   "memnode",
                   "mode='{}' beside <memory mode='{}'>: 'restrictive' is for both or neither",
                   name_of(node.mode),
                   name_of(memory->mode.value_or(NumaMode::strict)));
        }
    }
}

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
    std::map<uint32_t, bool> slots;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        const auto* at = std::get_if<DimmAddress>(&memory.info.address);
        if (at == nullptr || !at->slot) {
            continue;
        }
        if (!slots.emplace(*at->slot, true).second) {
            refuse(memory.info.where, "address", "slot='{}' is used twice", *at->slot);
        }
        if (def.memory.max && *at->slot >= def.memory.max->slots) {
            refuse(memory.info.where,
                   "address",
                   "slot='{}': <maxMemory> has {}",
                   *at->slot,
                   def.memory.max->slots);
        }
    }
}

void check_hotplug(const DomainDef& def) {
    const auto& list = def.devices.memories;
    if (def.memory.max && def.memory.max->kib < def.memory.total_kib) {
        refuse(def.where,
               "maxMemory",
               "{} KiB is less than <memory>, {} KiB",
               def.memory.max->kib,
               def.memory.total_kib);
    }
    if (def.memory.max && def.memory.max->slots > 0 && cell_count(def) == 0) {
        refuse(def.where, "maxMemory", "memory is plugged into NUMA cells: add one in <cpu><numa>");
    }
    for (const MemoryDeviceDef& memory : list) {
        const bool slotted =
            memory.model == MemoryDeviceModel::dimm || memory.model == MemoryDeviceModel::nvdimm;
        if (memory.model != MemoryDeviceModel::sgx_epc && !def.memory.max) {
            refuse(memory.info.where, "memory", "it needs <maxMemory>, which leaves room for it");
        }
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
        if (slotted && !memory.node && cell_count(def) != 0) {
            refuse(memory.info.where, "target", "it needs <node>, the NUMA cell that it is for");
        }
        if (memory.node && find_cell(def, *memory.node) == nullptr && cell_count(def) != 0) {
            refuse(memory.info.where, "node", "there is no NUMA cell '{}'", *memory.node);
        }
    }
    uint64_t plugged = 0;
    for (const MemoryDeviceDef& memory : list) {
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
            check(def.cpu->where, "cell", cell.memory_kib);
        }
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
    check_hugepages(def);
    check_cells(def);
    if (def.cpu) {
        check_hmat(*def.cpu, def);
    }
    check_numatune(def);
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        check_memory(memory);
    }
    check_slots(def);
}

void validate_qemu_memory(const DomainDef& def) {
    check_sizes(def);
    check_hotplug(def);
    check_backing(def);
    if (def.memtune && def.memtune->min_guarantee_kib) {
        refuse(def.where, "min_guarantee", "Linux has no such limit; remove the element");
    }
}

} // namespace vireo::qemu
