// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

/// The parts of a command line that are not devices. None of them can be hot-plugged.
namespace vireo::qemu {

/// The firmware's flash images: before -machine, which refers to them.
Plan plan_firmware(const PlanContext& context);
Plan plan_machine(const PlanContext& context);
Plan plan_cpu(const PlanContext& context);
/// -m, the main memory's back end, -smp, I/O threads and NUMA cells.
Plan plan_memory(const PlanContext& context);
/// -rtc and the timers that are global properties.
Plan plan_clock(const PlanContext& context);
/// The object that `confidential-guest-support` of -machine names.
Plan plan_launch_security(const PlanContext& context);
/// -boot, kernel, ACPI switches, power management.
Plan plan_boot(const PlanContext& context);

/// True when the machine's main memory is one back end that -machine names.
bool has_main_memory_backend(const PlanContext& context);
/// The id of that back end.
std::string main_memory_id(const PlanContext& context);

} // namespace vireo::qemu
