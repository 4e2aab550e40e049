// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>
#include <vector>

/// `<vcpu>`, `<vcpus>` and I/O threads.
namespace vireo::qemu {

enum class Placement { static_, auto_ };

struct VcpuState {
    uint32_t id{};
    YesNo enabled{};
    std::optional<YesNo> hotpluggable;
    std::optional<uint32_t> order;
    xml::Where where{};
};

struct VcpuDef {
    /// Most that the guest can have.
    uint32_t maximum{1};
    /// How many it starts with; absent: `maximum`.
    std::optional<uint32_t> current;
    std::optional<Placement> placement;
    /// Host CPUs, as ranges: `0-3,8`.
    std::optional<std::string> cpuset;
    /// Empty, or one for each vCPU.
    std::vector<VcpuState> states;
};

/// Helper threads of an event loop, for I/O that the host cannot do without blocking.
struct ThreadPool {
    std::optional<uint32_t> min;
    std::optional<uint32_t> max;
};

struct IothreadDef {
    uint32_t id{};
    /// Made by `fill_defaults` to reach the number in `<iothreads>`; not written.
    bool automatic{};
    ThreadPool pool;
    xml::Where where{};
};

const xml::Type& describe(const VcpuDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::Placement> {
    static constexpr std::array<std::string_view, 2> names{"static", "auto"};
};
