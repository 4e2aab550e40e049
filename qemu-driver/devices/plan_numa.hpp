// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

constexpr uint64_t kib_per_mib = 1024;

/// A size as QEMU wants it for memory that a guest starts with.
uint64_t whole_mib(uint64_t kib);

/// The guest's NUMA cells; none where `<cpu><numa>` is absent.
const std::vector<NumaCell>& numa_cells(const DomainDef& def);

/// True when the guest's ACPI tables tell how fast its memory is (HMAT).
bool has_memory_attributes(const DomainDef& def);

/// Cells with their memory, distances, and what is known of the memory's speed.
Plan plan_numa(const PlanContext& context);

} // namespace vireo::qemu
