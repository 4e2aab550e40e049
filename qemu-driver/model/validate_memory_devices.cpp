// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memory_devices.hpp"
#include "qemu-driver/model/memory_pages.hpp"
#include "qemu-driver/model/numa_cells.hpp"
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

bool takes_slot(const MemoryDeviceDef& memory) {
    return memory.model == MemoryDeviceModel::dimm || memory.model == MemoryDeviceModel::nvdimm;
}

void check_node(const DomainDef& def, const MemoryDeviceDef& memory) {
    const std::size_t cells = cell_count(def);
    if (memory.node && *memory.node >= cells) {
        refuse(
            memory.info.where,
            "memory",
            "target/node is {}, but the guest has {} NUMA nodes; add a <cell> to <cpu><numa>, or "
            "name one from 0 on",
            *memory.node,
            cells);
    }
    // QEMU's virtio-pmem is of no node.
    if (!memory.node && cells != 0 && memory.model != MemoryDeviceModel::virtio_pmem &&
        memory.model != MemoryDeviceModel::sgx_epc) {
        refuse(memory.info.where,
               "memory",
               "target/node is missing: the guest has NUMA nodes 0 to {}, say to which this memory "
               "belongs",
               cells - 1);
    }
}

void check_block(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts) {
    const xml::Where where = memory.info.where;
    const uint64_t block = block_kib(def, memory, facts);
    if (block < facts.huge_pmd_kib) {
        refuse(
            where,
            "memory",
            "target/block of {} KiB is below a transparent huge page of the host; take {} KiB or "
            "more",
            block,
            facts.huge_pmd_kib);
    }
    const uint64_t page = backing_page_kib(def, memory, facts);
    if (block < page) {
        refuse(
            where,
            "memory",
            "target/block of {} KiB is below a page of the memory behind it; take {} KiB or more, "
            "or smaller pages",
            block,
            page);
    }
}

/// vhost-vdpa pins all of the guest's memory, and so do locked pages; virtio-mem gives back what is
/// not plugged. QEMU refuses the two together. (An NVMe disk is looked at before a start: see
/// devices/obstacles.hpp.)
void check_discard(const DomainDef& def, const MemoryDeviceDef& memory) {
    const auto refuse_beside = [&](xml::Where other, const char* element, const char* way) {
        refuse(memory.info.where,
               "memory",
               "model='virtio-mem' cannot be beside {}: that pins all of the guest's memory, and "
               "virtio-mem gives back what is not plugged; {}, or take model='dimm'",
               other.line == 0 ? fmt::format("<{}>", element)
                               : fmt::format("<{}> of line {}", element, other.line),
               way);
    };
    for (const DiskDef& disk : def.devices.disks) {
        for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
            if (image->type() == DiskType::vhostvdpa) {
                refuse_beside(disk.info.where,
                              "disk type='vhostvdpa'",
                              "give the guest a disk of another type");
            }
        }
    }
    for (const InterfaceDef& interface : def.devices.interfaces) {
        if (interface.type() == InterfaceType::vdpa) {
            refuse_beside(interface.info.where,
                          "interface type='vdpa'",
                          "give the guest a network interface of another type");
        }
    }
    if (def.memory_backing && def.memory_backing->locked) {
        refuse_beside(def.memory_backing->where, "memoryBacking><locked", "leave <locked/> out");
    }
}

void check_room(const DomainDef& def) {
    uint64_t sum = 0;
    uint64_t slots = 0;
    check_each(def.devices.memories, [&](const MemoryDeviceDef& memory) {
        if (memory.model == MemoryDeviceModel::sgx_epc) {
            return; // in the machine's own address space
        }
        if (!def.memory.max) {
            refuse(memory.info.where,
                   "memory",
                   "a memory device needs <maxMemory slots= unit=> of the domain, which says how "
                   "much memory it may have altogether");
        }
        sum += memory.size_kib;
        slots += takes_slot(memory) ? 1 : 0;
        const uint64_t room =
            def.memory.max->kib - std::min(def.memory.max->kib, initial_memory_kib(def));
        if (sum > room) {
            refuse(
                memory.info.where,
                "memory",
                "with this one, memory devices are {} KiB; <maxMemory> of {} KiB leaves room for "
                "{} KiB beside the {} KiB that the guest starts with, so raise it",
                sum,
                def.memory.max->kib,
                room,
                initial_memory_kib(def));
        }
        if (slots > def.memory.max->slots) {
            refuse(memory.info.where,
                   "memory",
                   "all {} memory slots are taken; raise slots= of <maxMemory>",
                   def.memory.max->slots);
        }
    });
}

} // namespace

void validate_memory_devices(const DomainDef& def, const HostFacts& facts) {
    const auto device = [&](const MemoryDeviceDef& memory) {
        check_node(def, memory);
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            check_block(def, memory, facts);
            check_discard(def, memory);
        }
    };
    check_all([&] { check_room(def); }, [&] { check_each(def.devices.memories, device); });
}

} // namespace vireo::qemu
