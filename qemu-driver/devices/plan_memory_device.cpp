// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/memory_backend.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "qemu-driver/model/problem.hpp"

namespace vireo::qemu {

using nlohmann::json;

namespace {

MemoryBackendWish wish_of(const MemoryDeviceDef& memory) {
    MemoryBackendWish wish;
    wish.id = "mem" + alias_of(memory.info);
    wish.file_name = alias_of(memory.info);
    // A module starts and ends where a large page of x86 does.
    constexpr uint64_t alignment_kib = 2048;
    wish.size_kib = (memory.size_kib + alignment_kib - 1) / alignment_kib * alignment_kib;
    wish.cell = memory.node;
    wish.access = memory.access;
    wish.discard = memory.discard;
    wish.enclave = memory.model == MemoryDeviceModel::sgx_epc;
    wish.no_reserve = memory.model == MemoryDeviceModel::virtio_mem;
    if (memory.source) {
        wish.page_kib = memory.source->page_size_kib;
        wish.nodemask = memory.source->nodemask;
        wish.path = memory.source->path;
    }
    return wish;
}

void add_slot(const DeviceInfo& info, json& device) {
    const auto* slot = std::get_if<DimmAddress>(&info.address);
    if (slot && slot->slot) {
        device["slot"] = *slot->slot;
    }
    if (slot && slot->base) {
        device["addr"] = *slot->base;
    }
}

void add_nvdimm(const MemoryDeviceDef& memory, json& backend, json& device) {
    if (memory.source && memory.source->align_size_kib) {
        backend["align"] = *memory.source->align_size_kib * bytes_per_kib;
    }
    if (memory.source && memory.source->pmem) {
        backend["pmem"] = true;
    }
    if (memory.label_size_kib) {
        device["label-size"] = *memory.label_size_kib * bytes_per_kib;
    }
    if (memory.uuid) {
        device["uuid"] = *memory.uuid;
    }
    if (memory.readonly) {
        device["unarmed"] = true;
    }
}

void require_enclaves(const PlanContext& context, const MemoryDeviceDef& memory) {
    if (!context.caps.has_type("sgx-epc")) {
        qemu::refuse(
            memory.info.where,
            "memory",
            "model='sgx-epc': this host gives guests no memory for enclaves; it needs KVM, and "
            "SGX switched on in the host's firmware");
    }
}

} // namespace

void add_enclave_memory(const DomainDef& def, OptionText& machine) {
    unsigned number = 0;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        if (memory.model != MemoryDeviceModel::sgx_epc) {
            continue;
        }
        const std::string name = fmt::format("sgx-epc.{}", number++);
        machine.add(name + ".memdev", "mem" + alias_of(memory.info));
        if (memory.node) {
            machine.add(name + ".node", uint64_t{*memory.node});
        }
    }
}

Plan plan_memory_device(const PlanContext& context, const MemoryDeviceDef& memory) {
    if (memory.model == MemoryDeviceModel::sgx_epc) {
        require_enclaves(context, memory);
    }
    MemoryBackend backend = memory_backend(context, wish_of(memory));
    json device = json::object();
    if (memory.node) {
        device["node"] = *memory.node;
    }
    switch (memory.model) {
    case MemoryDeviceModel::dimm:
        device["driver"] = "pc-dimm";
        add_slot(memory.info, device);
        break;
    case MemoryDeviceModel::nvdimm:
        device["driver"] = "nvdimm";
        add_nvdimm(memory, backend.props, device);
        add_slot(memory.info, device);
        break;
    case MemoryDeviceModel::virtio_mem:
        device["driver"] = virtio_device("virtio-mem", memory.info, VirtioModel::virtio);
        if (memory.block_kib) {
            device["block-size"] = *memory.block_kib * bytes_per_kib;
        }
        device["requested-size"] = memory.requested_kib.value_or(0) * bytes_per_kib;
        if (backend.preallocates) {
            device["prealloc"] = true;
        }
        break;
    case MemoryDeviceModel::virtio_pmem:
        device["driver"] = virtio_device("virtio-pmem", memory.info, VirtioModel::virtio);
        break;
    case MemoryDeviceModel::sgx_epc: {
        Plan plan; // the machine takes it by itself
        append_memory_backend(plan, std::move(backend));
        return plan;
    }
    }
    require_type(context, device.at("driver").get<std::string>(), "memory");
    device["memdev"] = "mem" + alias_of(memory.info);
    device["id"] = alias_of(memory.info);
    add_address(context, device, memory.info);
    Plan plan;
    append_memory_backend(plan, std::move(backend));
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
