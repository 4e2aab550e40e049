// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/cpu_def.hpp"
#include "qemu-driver/model/device_info.hpp"

/// `<devices><memory>`: DIMM, NVDIMM, virtio-pmem, virtio-mem, SGX EPC.
namespace vireo::qemu {

enum class MemoryDeviceModel { dimm, nvdimm, virtio_pmem, virtio_mem, sgx_epc };

struct MemoryDeviceSource {
    std::optional<uint64_t> page_size_kib;
    /// Host NUMA nodes as ranges.
    std::optional<std::string> nodemask;
    /// nvdimm, virtio-pmem: file behind it.
    std::optional<std::string> path;
    std::optional<uint64_t> align_size_kib;
    bool pmem{};
};

struct MemoryDeviceDef {
    MemoryDeviceModel model{};
    std::optional<MemoryAccess> access;
    std::optional<YesNo> discard;
    /// nvdimm.
    std::optional<std::string> uuid;
    std::optional<MemoryDeviceSource> source;
    uint64_t size_kib{};
    /// Guest NUMA cell.
    std::optional<uint32_t> node;
    std::optional<uint64_t> label_size_kib;
    bool readonly{};
    /// virtio-mem: granularity, wanted size, and (of a running guest) what is plugged.
    std::optional<uint64_t> block_kib;
    std::optional<uint64_t> requested_kib;
    std::optional<uint64_t> current_kib;
    DeviceInfo info;
};

const xml::Type& describe(const MemoryDeviceDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::MemoryDeviceModel> {
    static constexpr std::array<std::string_view, 5> names{
        "dimm", "nvdimm", "virtio-pmem", "virtio-mem", "sgx-epc"};
};
