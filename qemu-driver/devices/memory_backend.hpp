// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// One piece of guest memory, before it is known what backs it.
struct MemoryBackendWish {
    std::string id;
    uint64_t size_kib = 0;
    bool is_main = false;                ///< the machine's own memory, not a cell's
    std::optional<uint32_t> cell;        ///< guest NUMA cell
    std::optional<MemoryAccess> access;  ///< instead of `<memoryBacking>`'s
    std::optional<YesNo> discard;        ///< instead of `<memoryBacking>`'s
    std::optional<uint64_t> page_kib;    ///< huge pages of a memory device's own
    std::optional<std::string> nodemask; ///< host nodes of a memory device's own
    std::optional<std::string> path;     ///< the file that holds it (nvdimm)
    std::string file_name;               ///< of file-backed memory, where it is not the id
    bool no_reserve = false;             ///< virtio-mem: what is not plugged must cost nothing
    bool enclave = false;                ///< of the host's memory for enclaves (SGX)
};

struct MemoryBackend {
    nlohmann::json context; ///< an object to make first: the threads that allocate; null for none
    nlohmann::json props;
    bool preallocates =
        false;             ///< wished for; with `no_reserve` the device does it, not the back end
    bool is_plain = false; ///< without any wish of its own: QEMU can make it by itself
};

/// Chooses RAM, a memory file or a file on (huge) pages, as `<memoryBacking>` says.
/// Throws config_unsupported when no mounted hugetlbfs has pages of the wanted size.
MemoryBackend memory_backend(const PlanContext& context, const MemoryBackendWish& wish);

/// How a machine that splits its own memory among the cells gets it, as `<memoryBacking>` says.
Plan plan_memory_path(const PlanContext& context);

void append_memory_backend(Plan& plan, MemoryBackend backend);

} // namespace vireo::qemu
