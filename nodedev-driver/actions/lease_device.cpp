// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/lease_device.hpp"

#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/actions/bind_driver.hpp"
#include "nodedev-driver/actions/check_device.hpp"

#include <algorithm>
#include <ctime>
#include <optional>
#include <sstream>

namespace vireo::nodedev::actions {

namespace {

std::string holder_words(const std::string& holder) {
    return holder.empty() ? "an administrator who detached it" : fmt::format("'{}'", holder);
}

/// Throws where somebody else has it; true where this holder has it already.
bool is_held(const Driver& driver, const PciFunction& function, const std::string& holder) {
    const Lease* lease = driver.leases.find(function.address);
    if (lease == nullptr) {
        return false;
    }
    if (lease->holder != holder) {
        throw Error(ErrorCode::resource_busy,
                    "device '{}' is held by {}",
                    function.name,
                    holder_words(lease->holder));
    }
    return lease->state == LeaseState::held;
}

/// Back to the host, and out of the journal; what fails stays in it for another try.
Task<void> return_to_host(Driver& driver, PciFunction function, Lease lease) {
    lease.state = LeaseState::returning;
    driver.leases.save(lease);
    co_await give_to_host(driver, function.path, lease, false);
    driver.leases.end(function.address);
    driver.look_again(function.path);
    log::info("device '{}' is back with {}",
              function.name,
              lease.host_driver.empty() ? "no driver" : lease.host_driver);
}

/// The error of the step that failed, with the state of the group where it stopped.
[[noreturn]] void
fail(const Driver& driver, const PciFunction& function, std::exception_ptr failure) {
    const auto group = read_iommu_group(driver.sources.sysfs, function.path);
    try {
        std::rethrow_exception(std::move(failure));
    } catch (const Error& error) {
        throw Error(error.code(),
                    "device '{}' is not detached: {}{}",
                    function.name,
                    error.what(),
                    group ? "; " + describe_group(*group) : "");
    }
}

/// When a process began, in the kernel's ticks. Source: proc(5), field 22 of its stat.
uint64_t process_start(uint32_t process) {
    const auto stat = read_file_if_exists(fmt::format("/proc/{}/stat", process));
    // The name in parentheses may hold anything.
    std::istringstream fields(stat ? stat->substr(stat->rfind(')') + 1) : std::string());
    std::string field;
    constexpr int place = 22 - 2;
    for (int i = 0; i < place; ++i) {
        fields >> field;
    }
    const auto ticks = fields ? parse_number(field, 10) : std::nullopt;
    if (!ticks) {
        throw Error(ErrorCode::invalid_arg, "there is no process {}", process);
    }
    return static_cast<uint64_t>(*ticks);
}

bool still_runs(const Lease& lease) {
    try {
        return process_start(lease.process) == lease.process_started;
    } catch (const Error&) {
        return false;
    }
}

bool is_same(const Lease& now, const Lease& then) {
    return now.process == then.process && now.process_started == then.process_started &&
           now.since == then.since;
}

/// Gives the device back when the process ends that has it, if it is still that lease then.
Task<void> end_with_holder(Driver& driver, std::string name, Lease lease) {
    std::optional<Process> process = Process::open(static_cast<pid_t>(lease.process));
    if (process && still_runs(lease)) {
        co_await process->wait(driver.loop);
    }
    const Lease* now = driver.leases.find(lease.address);
    std::string problem;
    if (now != nullptr && is_same(*now, lease)) {
        log::info("process {} of {} has ended", lease.process, holder_words(lease.holder));
        try {
            co_await release_device(driver, name, lease.holder);
        } catch (const Error& error) {
            problem = error.what();
        }
    }
    if (!problem.empty()) {
        log::error("device '{}' does not go back to the host: {}", name, problem);
    }
}

void follow_holder(Driver& driver, const std::string& name, const Lease& lease) {
    if (lease.process != 0) {
        driver.followers.spawn(end_with_holder(driver, name, lease), "holder of " + name);
    }
}

/// The holder's next process has the device from now on; the end of the former means nothing.
void keep_for(
    Driver& driver, const std::string& name, Lease lease, uint32_t process, uint64_t started) {
    if (process == 0 || (lease.process == process && lease.process_started == started)) {
        return;
    }
    lease.process = process;
    lease.process_started = started;
    driver.leases.save(lease);
    follow_holder(driver, name, lease);
}

Task<void> undo(Driver& driver, PciFunction function, Lease lease) {
    std::string problem;
    try {
        co_await return_to_host(driver, function, lease);
    } catch (const Error& error) {
        problem = error.what();
    }
    if (!problem.empty()) {
        log::error("device '{}' does not go back to the host: {}", function.name, problem);
    }
}

Task<void> bind(Driver& driver, PciFunction function, Lease lease) {
    std::exception_ptr failure;
    bool hangs = false;
    try {
        co_await give_to_driver(driver, function.path, lease.driver);
    } catch (const Error& error) {
        failure = std::current_exception();
        hangs = error.code() == ErrorCode::operation_timeout;
    }
    if (hangs) { // another write would wait behind the first; the journal remembers what is owed
        lease.state = LeaseState::returning;
        driver.leases.save(lease);
    } else if (failure) {
        co_await undo(driver, function, lease);
    }
    if (failure) {
        fail(driver, function, failure);
    }
}

} // namespace

namespace {

/// With what the device goes back to: for one that is still on its way back, that of then.
Lease new_lease(const Driver& driver, const PciFunction& function) {
    const auto& sysfs = driver.sources.sysfs;
    Lease lease;
    if (const Lease* before = driver.leases.find(function.address)) {
        lease = *before;
    } else {
        lease.address = function.address;
        lease.host_driver = driver_of(sysfs, function.path);
        lease.host_override = read_override(sysfs, function.path);
    }
    lease.state = LeaseState::taking;
    lease.since = static_cast<uint64_t>(std::time(nullptr));
    return lease;
}

} // namespace

std::string checked_driver(const std::string& name) {
    if (name.empty() || name == "vfio") {
        return vfio_driver;
    }
    const bool plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!plain || name.find("vfio") == std::string::npos) {
        throw Error(ErrorCode::argument_unsupported,
                    "'{}' is no driver that gives a PCI device to a guest: vfio-pci is",
                    name);
    }
    return name;
}

Task<void> take_device(Driver& driver,
                       std::string name,
                       std::string holder,
                       std::string wanted,
                       uint32_t process,
                       std::vector<std::string> beside) {
    const uint64_t started = process == 0 ? 0 : process_start(process);
    const PciFunction function = pci_function(driver, name);
    const auto turn = co_await driver.leases.queue(function.address).turn();
    if (is_held(driver, function, holder)) {
        keep_for(driver, name, *driver.leases.find(function.address), process, started);
        co_return;
    }
    co_await check_unused(driver, function);
    check_group(driver, function, wanted, !holder.empty(), beside);
    check_neighbours(driver, function, holder);
    co_await need_kernel_driver(driver, wanted);
    Lease lease = new_lease(driver, function);
    lease.holder = holder;
    lease.driver = wanted;
    lease.process = process;
    lease.process_started = started;
    driver.leases.save(lease);
    co_await bind(driver, function, lease);
    lease.state = LeaseState::held;
    driver.leases.save(lease);
    follow_holder(driver, name, lease);
    driver.look_again(function.path);
    log::info("device '{}' is given to driver '{}' for {}", name, wanted, holder_words(holder));
}

Task<void> release_device(Driver& driver, std::string name, std::string holder) {
    const PciFunction function = pci_function(driver, name);
    const auto turn = co_await driver.leases.queue(function.address).turn();
    is_held(driver, function, holder);
    const Lease* lease = driver.leases.find(function.address);
    if (lease != nullptr) {
        const Lease found = *lease;
        co_await check_group_closed(driver, function);
        co_await return_to_host(driver, function, found);
    }
}

Task<void> reattach_device(Driver& driver, std::string name) {
    const PciFunction function = pci_function(driver, name);
    if (driver.leases.find(function.address) != nullptr) {
        co_await release_device(driver, name, std::string());
        co_return;
    }
    const auto turn = co_await driver.leases.queue(function.address).turn();
    const std::string now = driver_of(driver.sources.sysfs, function.path);
    if (now.find("vfio") != std::string::npos || now == "pci-stub") {
        co_await check_group_closed(driver, function);
        const Lease nothing;
        co_await give_to_host(driver, function.path, nothing, true);
        driver.look_again(function.path);
    }
}

Task<void> reset_device(Driver& driver, std::string name) {
    const PciFunction function = pci_function(driver, name);
    const auto turn = co_await driver.leases.queue(function.address).turn();
    is_held(driver, function, std::string());
    co_await check_unused(driver, function);
    check_neighbours(driver, function, std::string());
    co_await check_group_closed(driver, function);
    if (!driver.sources.sysfs.exists(function.path + "/reset")) {
        throw Error(ErrorCode::operation_unsupported,
                    "device '{}' has no way to be reset alone",
                    function.name);
    }
    co_await write_attribute(driver, function.path + "/reset", std::string("1"));
}

void forget_device(Driver& driver, const std::string& path) {
    const std::string address = path.substr(path.rfind('/') + 1);
    const Lease* lease = driver.leases.find(address);
    if (lease != nullptr && lease->state == LeaseState::held) {
        log::info(
            "device {} is gone, and with it the lease of {}", address, holder_words(lease->holder));
        driver.leases.end(address);
    }
}

Task<void> recover_leases(Driver& driver) {
    const auto leases = driver.leases.all();
    for (const auto& [address, lease] : leases) {
        const auto path = driver.sources.sysfs.resolve("/sys/bus/pci/devices/" + address);
        if (!path) {
            log::info("device {} is gone, and with it the lease of {}",
                      address,
                      holder_words(lease.holder));
            driver.leases.end(address);
            continue;
        }
        const PciFunction function{
            .name = device_name("pci", address), .path = *path, .address = address};
        const auto turn = co_await driver.leases.queue(address).turn();
        const std::string now = driver_of(driver.sources.sysfs, *path);
        if (lease.state != LeaseState::held) {
            log::info("device '{}' was between two drivers: it goes back to the host",
                      function.name);
            co_await undo(driver, function, lease);
        } else if (now == lease.host_driver && now != lease.driver) {
            log::info("device '{}' was given back to the host meanwhile", function.name);
            driver.leases.end(address);
        } else {
            follow_holder(driver, function.name, lease);
        }
    }
}

} // namespace vireo::nodedev::actions
