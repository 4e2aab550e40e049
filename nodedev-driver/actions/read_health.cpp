// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/read_health.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/async/offload.hpp"
#include "nodedev-driver/probe/nvme_health.hpp"

#include <chrono>

namespace vireo::nodedev::actions {

namespace {

Task<NvmeHealth> ask_for_health(Driver& driver, std::string node) {
    std::function<NvmeHealth()> call = [sysfs = driver.sources.sysfs, at = std::move(node)] {
        return read_health(sysfs, at);
    };
    co_return co_await Offload<NvmeHealth>(driver.loop, std::move(call));
}

uint64_t microseconds_of_epoch() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

} // namespace

Task<void> refresh_health(Driver& driver, std::string name, std::string controller) {
    const std::string node = "/dev/" + controller;
    Task<NvmeHealth> ask = ask_for_health(driver, node);
    std::string what = fmt::format("the health log of '{}'", node);
    NvmeHealth health = co_await Deadline<NvmeHealth>(
        driver.loop, std::move(ask), driver.step_limit, std::move(what));
    HealthReading reading;
    reading.health = std::move(health);
    reading.taken = microseconds_of_epoch();
    if (driver.registry.find(name)) { // it may have gone meanwhile
        driver.health.insert_or_assign(name, std::move(reading));
        driver.health_changed(name);
    }
}

} // namespace vireo::nodedev::actions
