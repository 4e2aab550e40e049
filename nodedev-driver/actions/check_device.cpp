// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/check_device.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"

#include <fmt/ranges.h>
#include <systemd/sd-daemon.h>

#include <algorithm>

namespace vireo::nodedev::actions {

namespace {

using Uses = std::vector<DeviceUse>;

/// Everything that the kernel knows now; all processes are looked at.
Uses find_uses(const Sysfs& sysfs, const std::string& path) {
    std::vector<std::string> controllers;
    for (const std::string& controller : sysfs.names(path + "/nvme")) {
        controllers.push_back("/dev/" + controller);
    }
    Uses found;
    for (auto& [disk, uses] : uses_now(sysfs, disks_of(sysfs, path), controllers)) {
        std::ranges::move(uses, std::back_inserter(found));
    }
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

/// Where systemd runs the host it loads the module: this daemon's unit may not.
ProcessSpec load_module(const std::string& name) {
    ProcessSpec spec;
    if (sd_booted() > 0) {
        spec.program = "systemctl";
        spec.arguments = {"--no-ask-password", "start", fmt::format("modprobe@{}.service", name)};
    } else {
        spec.program = "modprobe";
        spec.arguments = {"--", name};
    }
    return spec;
}

std::string list_of(const Uses& uses) {
    std::vector<std::string> words;
    words.reserve(uses.size());
    for (const DeviceUse& use : uses) {
        words.push_back(describe_use(use));
    }
    return fmt::format("{}", fmt::join(words, ", "));
}

Task<Uses> look_for_uses(Driver& driver, PciFunction function) {
    std::function<Uses()> call = [sysfs = driver.sources.sysfs, path = function.path] {
        return find_uses(sysfs, path);
    };
    co_return co_await Offload<Uses>(driver.loop, std::move(call));
}

/// udev looks into a disk that has just come back, and closes it again.
bool is_passing(const DeviceUse& use) {
    return use.kind == "open" && use.by.starts_with("(udev-worker)");
}

Task<void> let_udev_finish(Driver& driver) {
    ProcessSpec spec;
    spec.program = "udevadm";
    spec.arguments = {"settle", "--timeout=10"};
    try {
        const Output output = co_await run_command(driver.loop, std::move(spec), driver.step_limit);
    } catch (const Error& error) {
        log::debug("udev is not waited for: {}", error.what());
    }
}

} // namespace

PciFunction pci_function(const Driver& driver, const std::string& name) {
    const auto device = driver.registry.get(name);
    if (!std::holds_alternative<PciCapability>(device->capability) || !device->path) {
        throw Error(ErrorCode::operation_invalid, "device '{}' is not a PCI device", name);
    }
    return {.name = name,
            .path = *device->path,
            .address = device->path->substr(device->path->rfind('/') + 1)};
}

Task<void> check_unused(Driver& driver, PciFunction function) {
    Uses uses = co_await look_for_uses(driver, function);
    if (std::ranges::any_of(uses, is_passing)) {
        co_await let_udev_finish(driver);
        uses = co_await look_for_uses(driver, function);
    }
    if (!uses.empty()) {
        throw Error(ErrorCode::resource_busy,
                    "device '{}' is in use by the host: {}",
                    function.name,
                    list_of(uses));
    }
}

Task<void> check_group_closed(Driver& driver, PciFunction function) {
    const auto group = read_iommu_group(driver.sources.sysfs, function.path);
    if (!group) {
        co_return;
    }
    std::function<Uses()> call = [sysfs = driver.sources.sysfs,
                                  node = "/dev/vfio/" + group->number] {
        return open_by(sysfs, {node});
    };
    const Uses uses = co_await Offload<Uses>(driver.loop, std::move(call));
    if (!uses.empty()) {
        throw Error(ErrorCode::resource_busy,
                    "device '{}' is in use by a guest: {}; {}",
                    function.name,
                    list_of(uses),
                    describe_group(*group));
    }
}

void check_group(const Driver& driver,
                 const PciFunction& function,
                 const std::string& wanted,
                 bool whole,
                 const std::vector<std::string>& beside) {
    if (wanted.find("vfio") == std::string::npos) {
        return;
    }
    const auto group = read_iommu_group(driver.sources.sysfs, function.path);
    if (!group) {
        throw Error(ErrorCode::operation_invalid,
                    "device '{}' is in no IOMMU group: switch the IOMMU on in the firmware (VT-d, "
                    "AMD-Vi) and on the kernel's command line (intel_iommu=on)",
                    function.name);
    }
    const bool blocked = std::ranges::any_of(group->members, [&](const GroupMember& member) {
        return member.address != function.address && !member.bridge &&
               !leaves_group_to_guests(member.driver) &&
               std::ranges::find(beside, device_name("pci", member.address)) == beside.end();
    });
    if (whole && blocked) {
        throw Error(ErrorCode::operation_invalid,
                    "device '{}' cannot be given to a guest alone: detach the others of {}",
                    function.name,
                    describe_group(*group));
    }
}

void check_neighbours(const Driver& driver,
                      const PciFunction& function,
                      const std::string& holder) {
    const Sysfs& sysfs = driver.sources.sysfs;
    const auto check = [&](const std::string& address, const std::string& what) {
        const Lease* lease = driver.leases.find(address);
        if (lease != nullptr && !lease->holder.empty() && lease->holder != holder) {
            throw Error(ErrorCode::resource_busy,
                        "device '{}' goes with {} {}, which is held by '{}'",
                        function.name,
                        what,
                        address,
                        lease->holder);
        }
    };
    if (const auto group = read_iommu_group(sysfs, function.path)) {
        for (const GroupMember& member : group->members) {
            check(member.address, fmt::format("the member of IOMMU group {}", group->number));
        }
    }
    for (const uint32_t number : sysfs.numbered(function.path, "virtfn")) {
        check(sysfs.link_name(fmt::format("{}/virtfn{}", function.path, number)).value_or(""),
              "its virtual function");
    }
}

Task<void> need_kernel_driver(Driver& driver, std::string wanted) {
    const Sysfs& sysfs = driver.sources.sysfs;
    const std::string folder = "/sys/bus/pci/drivers/" + wanted;
    std::string problem;
    if (!sysfs.exists(folder) && sysfs.is_host()) {
        ProcessSpec spec = load_module(wanted);
        const Output output = co_await run_command(driver.loop, std::move(spec), driver.step_limit);
        problem = output.errors;
    }
    if (!sysfs.exists(folder)) {
        throw Error(ErrorCode::operation_failed,
                    "the kernel has no PCI driver '{}' {}",
                    wanted,
                    problem.empty() ? "and no module of that name" : problem);
    }
}

std::string read_override(const Sysfs& sysfs, const std::string& path) {
    const std::string text = sysfs.text(path + "/driver_override").value_or("");
    return text == "(null)" ? "" : text;
}

} // namespace vireo::nodedev::actions
