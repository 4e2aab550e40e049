// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_device.hpp"

#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_disk.hpp"
#include "qemu-driver/devices/plan_hostdev.hpp"

namespace vireo::qemu {

namespace {

struct DevicePlanner {
    const PlanContext& context;

    Plan operator()(const MemoryDeviceDef& memory) const {
        return plan_memory_device(context, memory);
    }

    Plan operator()(const DiskDef& disk) const { return plan_disk(context, disk); }

    Plan operator()(const HostdevDef& hostdev) const { return plan_hostdev(context, hostdev); }

    Plan operator()(const ControllerDef& controller) const {
        return plan_controller(context, controller);
    }

    Plan operator()(const InputDef& input) const { return plan_input(context, input); }

    Plan operator()(const RngDef& rng) const { return plan_rng(context, rng); }

    Plan operator()(const WatchdogDef& watchdog) const { return plan_watchdog(context, watchdog); }

    Plan operator()(const ShmemDef& shmem) const { return plan_shmem(context, shmem); }

    Plan operator()(const RedirdevDef& redirdev) const { return plan_redirdev(context, redirdev); }
};

} // namespace

Plan plan_device(const PlanContext& context, const Device& device) {
    return std::visit(DevicePlanner{context}, device);
}

} // namespace vireo::qemu
