// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/numa_cells.hpp"
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace vireo::qemu {

namespace {

/// Which pages a NUMA cell has, or all of them.
class PageSizes {
  public:
    explicit PageSizes(const DomainDef& def) : cells_(cell_count(def)) {}

    void add(const HugePage& page) {
        // Without cells all memory is node 0.
        if (!page.nodeset || (cells_ == 0 && *page.nodeset == "0")) {
            add_for_all(page);
            return;
        }
        for (const uint32_t cell : ids_of(*page.nodeset, page.where, "page")) {
            add_for(page, cell);
        }
    }

  private:
    void add_for_all(const HugePage& page) {
        if (for_all_) {
            refuse(page.where,
                   "page",
                   "sizes {} KiB and {} KiB are both for all memory; one can be",
                   *for_all_,
                   page.size_kib);
        }
        for_all_ = page.size_kib;
    }

    void add_for(const HugePage& page, uint32_t cell) {
        if (cell >= std::max<std::size_t>(cells_, 1)) {
            refuse(page.where,
                   "page",
                   "nodeset='{}': there is no NUMA cell '{}'",
                   *page.nodeset,
                   cell);
        }
        if (!of_cell_.emplace(cell, page.size_kib).second) {
            refuse(page.where,
                   "page",
                   "NUMA cell '{}' has pages of {} KiB and of {} KiB",
                   cell,
                   of_cell_[cell],
                   page.size_kib);
        }
    }

    std::size_t cells_;
    std::optional<uint64_t> for_all_;
    std::map<uint32_t, uint64_t> of_cell_;
};

void check_hugepages(const DomainDef& def) {
    if (def.memory_backing && def.memory_backing->hugepages) {
        PageSizes sizes(def);
        check_each(def.memory_backing->hugepages->pages,
                   [&](const HugePage& page) { sizes.add(page); });
    }
}

void check_cell_ids(const CpuDef& cpu) {
    uint32_t expected = 0;
    for (const NumaCell& cell : cpu.cells) {
        if (*cell.id != expected++) {
            refuse(cell.where,
                   "cell",
                   "id='{}': cells have the numbers from 0 on, each once, without a gap",
                   *cell.id);
        }
    }
}

void check_cell_cpus(const DomainDef& def, const CpuDef& cpu) {
    std::map<uint32_t, uint32_t> of_cpu;
    check_each(cpu.cells, [&](const NumaCell& cell) {
        if (!cell.cpus) {
            return;
        }
        for (const uint32_t vcpu : ids_of(*cell.cpus, cell.where, "cell")) {
            if (!of_cpu.emplace(vcpu, *cell.id).second) {
                refuse(cell.where,
                       "cell",
                       "vCPU {} is in cell '{}' and in '{}'",
                       vcpu,
                       of_cpu[vcpu],
                       *cell.id);
            }
            if (vcpu >= def.vcpus.maximum) {
                refuse(cell.where,
                       "cell",
                       "vCPU {} is not there; <vcpu> has {} and the first is 0",
                       vcpu,
                       def.vcpus.maximum);
            }
        }
    });
}

void check_siblings(const DomainDef& def, const NumaCell& cell) {
    constexpr uint32_t local = 10, unreachable = 255;
    std::map<uint32_t, uint32_t> distances;
    check_each(cell.distances, [&](const NumaSibling& sibling) {
        if (find_cell(def, sibling.id) == nullptr) {
            refuse(sibling.where, "sibling", "id='{}': there is no such cell", sibling.id);
        }
        if (sibling.value < local || sibling.value > unreachable ||
            (sibling.id == *cell.id) != (sibling.value == local)) {
            refuse(sibling.where,
                   "sibling",
                   "value='{}': a distance is {} in a cell, and more, up to {}, to another",
                   sibling.value,
                   local,
                   unreachable);
        }
        if (!distances.emplace(sibling.id, sibling.value).second) {
            refuse(sibling.where,
                   "sibling",
                   "id='{}' is there twice in cell '{}'",
                   sibling.id,
                   *cell.id);
        }
    });
}

void check_caches(const NumaCell& cell) {
    check_each(cell.caches, [](const HmatCache& cache) {
        if (cache.level == 0) {
            refuse(cache.where, "cache", "level='0': the first level is 1");
        }
    });
}

void check_interconnect(const DomainDef& def, const HmatInterconnect& i) {
    const NumaCell* from = find_cell(def, i.initiator);
    if (from == nullptr || find_cell(def, i.target) == nullptr) {
        refuse(i.where,
               "interconnects",
               "initiator='{}', target='{}': both are ids of cells",
               i.initiator,
               i.target);
    }
    if (!from->cpus) {
        refuse(i.where,
               "interconnects",
               "initiator='{}' has no vCPUs that could access memory",
               i.initiator);
    }
}

void check_cells(const DomainDef& def) {
    if (!def.cpu) {
        return;
    }
    const CpuDef& cpu = *def.cpu;
    const auto interconnect = [&](const auto& any) {
        std::visit([&](const HmatInterconnect& i) { check_interconnect(def, i); }, any);
    };
    check_all(
        [&] { check_cell_ids(cpu); },
        [&] { check_cell_cpus(def, cpu); },
        [&] { check_each(cpu.cells, [&](const NumaCell& cell) { check_siblings(def, cell); }); },
        [&] { check_each(cpu.cells, check_caches); },
        [&] { check_each(cpu.interconnects, interconnect); });
}

void check_memory_tune(const DomainDef& def, const NumatuneDef& tune) {
    if (!tune.memory) {
        return;
    }
    const NumaMemory& memory = *tune.memory;
    if (memory.placement == NumaPlacement::static_ && !memory.nodeset) {
        refuse(memory.where, "memory", "placement='static' needs nodeset=, nodes of the host");
    }
    if (!memory.placement && !memory.nodeset && def.vcpus.placement != Placement::auto_) {
        refuse(memory.where, "memory", "it needs nodeset=, nodes of the host, or placement='auto'");
    }
}

void check_memnodes(const DomainDef& def, const NumatuneDef& tune) {
    const auto& memory = tune.memory;
    std::set<uint32_t> seen;
    check_each(tune.memnodes, [&](const NumaMemnode& node) {
        if (find_cell(def, node.cell) == nullptr) {
            refuse(node.where, "memnode", "cellid='{}': <cpu><numa> has no such cell", node.cell);
        }
        if (!seen.insert(node.cell).second) {
            refuse(node.where, "memnode", "cellid='{}' is there twice", node.cell);
        }
        if (memory && memory->placement == NumaPlacement::auto_) {
            refuse(node.where, "memnode", "with placement='auto' the host chooses for all cells");
        }
        const bool restrictive = node.mode == NumaMode::restrictive;
        if (memory && restrictive != (memory->mode == NumaMode::restrictive)) {
            refuse(node.where,
                   "memnode",
                   "mode='{}' beside <memory mode='{}'>: 'restrictive' is for both or neither",
                   name_of(node.mode),
                   name_of(memory->mode.value_or(NumaMode::strict)));
        }
    });
}

void check_numatune(const DomainDef& def) {
    if (def.numatune) {
        check_all([&] { check_memory_tune(def, *def.numatune); },
                  [&] { check_memnodes(def, *def.numatune); });
    }
}

} // namespace

void validate_guest_numa(const DomainDef& def) {
    check_all(
        [&] { check_hugepages(def); }, [&] { check_cells(def); }, [&] { check_numatune(def); });
}

} // namespace vireo::qemu
