// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/settle_device.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/probe/nvme_identify.hpp"

#include <algorithm>
#include <set>

namespace vireo::nodedev::actions {

namespace {

using Numbers = std::vector<uint32_t>;

Task<Numbers> ask_for_namespaces(Driver& driver, std::string node) {
    std::function<Numbers()> call = [sysfs = driver.sources.sysfs, at = std::move(node)] {
        return active_namespaces(sysfs, at);
    };
    co_return co_await Offload<Numbers>(driver.loop, std::move(call));
}

bool is_known(const Driver& driver, const std::string& controller) {
    return std::ranges::any_of(driver.registry.controllers(), [&](const auto& entry) {
        return std::get<NvmeCapability>(entry.second->capability).controller == controller;
    });
}

/// Source: the kernel's drivers/nvme/host/sysfs.c, nvme_sysfs_show_state().
bool is_coming_up(const std::string& state) {
    return state == "new" || state == "connecting" || state == "resetting";
}

bool has_disks_of(const Driver& driver, const std::string& controller, const Numbers& namespaces) {
    std::set<uint32_t> found;
    for (const auto& [name, device] : driver.registry.disks()) {
        const auto& space = std::get<StorageCapability>(device->capability).nvme_namespace;
        if (space && std::ranges::count(space->controllers, controller) != 0) {
            found.insert(space->id);
        }
    }
    return std::ranges::all_of(namespaces, [&](uint32_t id) { return found.contains(id); });
}

/// Each step that is missing ends with an event of the kernel's.
Task<void> until_settled(Driver& driver, std::string path) {
    for (;;) {
        const auto controllers = driver.sources.sysfs.names(path + "/nvme");
        if (controllers.empty()) {
            co_return;
        }
        const std::string& controller = controllers.front();
        const std::string at = path + "/nvme/" + controller;
        const std::string state = driver.sources.sysfs.text(at + "/state").value_or("");
        if (is_known(driver, controller) && !is_coming_up(state)) {
            const Numbers wanted = co_await ask_for_namespaces(driver, "/dev/" + controller);
            if (has_disks_of(driver, controller, wanted)) {
                co_return;
            }
        }
        co_await driver.changed.next();
    }
}

} // namespace

Task<void> settle_device(Driver& driver, std::string name) {
    const auto device = driver.registry.get(name);
    if (!device->path) {
        co_return;
    }
    Task<void> settling = until_settled(driver, *device->path);
    std::string what = fmt::format("the search for namespaces on '{}'", name);
    try {
        co_await Deadline<void>(
            driver.loop, std::move(settling), driver.step_limit, std::move(what));
    } catch (const Error& error) { // what is there may be all that is asked for
        log::warning("{}", error.what());
    }
}

} // namespace vireo::nodedev::actions
