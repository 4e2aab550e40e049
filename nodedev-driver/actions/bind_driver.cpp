// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/bind_driver.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"

namespace vireo::nodedev::actions {

namespace {

Task<void> write_off_the_loop(Driver& driver, std::string path, std::string text) {
    std::function<void()> call =
        [write = driver.write, to = std::move(path), what = std::move(text)] { write(to, what); };
    co_await Offload<void>(driver.loop, std::move(call));
}

/// The kernel may take a moment, and tells by an event.
Task<void> until_driver_is(Driver& driver, std::string path, std::string wanted) {
    std::string now = driver_of(driver.sources.sysfs, path);
    while (now != wanted) {
        co_await driver.changed.next();
        now = driver_of(driver.sources.sysfs, path);
    }
}

/// Throws operation_failed where that does not come about: the kernel has answered, with no.
Task<void> wait_for_driver(Driver& driver, std::string path, std::string wanted) {
    std::string problem = wanted.empty() ? std::string("its driver did not let go of it")
                                         : fmt::format("driver '{}' did not take it", wanted);
    bool expired = false;
    try {
        Task<void> wait = until_driver_is(driver, std::move(path), std::move(wanted));
        co_await Deadline<void>(driver.loop, std::move(wait), driver.step_limit, std::string());
    } catch (const Error&) {
        expired = true;
    }
    if (expired) {
        throw Error(
            ErrorCode::operation_failed,
            "{} within {} ms",
            problem,
            std::chrono::duration_cast<std::chrono::milliseconds>(driver.step_limit).count());
    }
}

std::string address_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

Task<void> unbind(Driver& driver, std::string path) {
    co_await write_attribute(driver, path + "/driver/unbind", address_of(path));
    co_await wait_for_driver(driver, path, std::string());
}

Task<void> probe_drivers(Driver& driver, std::string path) {
    const std::string address = address_of(path);
    co_await write_attribute(driver, "/sys/bus/pci/drivers_probe", address);
}

} // namespace

std::string driver_of(const Sysfs& sysfs, const std::string& path) {
    return sysfs.link_name(path + "/driver").value_or("");
}

Task<void> write_attribute(Driver& driver, std::string path, std::string text) {
    std::string what = fmt::format("writing to '{}'", path);
    Task<void> write = write_off_the_loop(driver, std::move(path), std::move(text));
    co_await Deadline<void>(driver.loop, std::move(write), driver.step_limit, std::move(what));
}

Task<void> give_to_driver(Driver& driver, std::string path, std::string wanted) {
    const std::string now = driver_of(driver.sources.sysfs, path);
    if (now == wanted) {
        co_return;
    }
    co_await write_attribute(driver, path + "/driver_override", wanted + "\n");
    if (!now.empty()) {
        co_await unbind(driver, path);
    }
    co_await probe_drivers(driver, path);
    co_await wait_for_driver(driver, path, wanted);
}

Task<void> give_to_host(Driver& driver, std::string path, Lease lease, bool any) {
    co_await write_attribute(driver, path + "/driver_override", lease.host_override + "\n");
    const std::string now = driver_of(driver.sources.sysfs, path);
    if (!any && now == lease.host_driver) {
        co_return;
    }
    if (!now.empty()) {
        co_await unbind(driver, path);
    }
    if (any || !lease.host_driver.empty()) {
        co_await probe_drivers(driver, path);
    }
    if (!any) {
        co_await wait_for_driver(driver, path, lease.host_driver);
    }
}

} // namespace vireo::nodedev::actions
