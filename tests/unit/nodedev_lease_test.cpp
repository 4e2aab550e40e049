// SPDX-License-Identifier: LGPL-2.1-or-later
// Driver binding on a host that is made up, with a kernel that does what PCI's attributes ask for.
#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "libshared/files.hpp"
#include "nodedev-driver/actions/bind_driver.hpp"
#include "nodedev-driver/actions/lease_device.hpp"
#include "tests/support/device_tree.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::nodedev;
using namespace vireo::test;

namespace {

const std::string slot = "0000:01:00.0";
const std::string name = "pci_0000_01_00_0";
const std::string drivers = "/sys/bus/pci/drivers/";

/// A host with one drive, alone in its IOMMU group, and the kernel's side of driver binding.
class Host {
  public:
    Host() : function(add_nvme_controller(tree, slot, 0)) {
        add_namespace(tree, function + "/nvme/nvme0", 0, 1);
        for (const char* driver : {"nvme", "vfio-pci", "igb"}) {
            tree.write(drivers + driver + "/unbind", "");
        }
        tree.write("/sys/bus/pci/drivers_probe", "");
        join_group(slot);
        tree.write(function + "/driver_override", "(null)\n");
        bind(slot, "nvme");
    }

    void join_group(const std::string& address) {
        tree.link(pci_bus + "/" + address + "/iommu_group", "/sys/kernel/iommu_groups/7");
        tree.link("/sys/kernel/iommu_groups/7/devices/" + address, pci_bus + "/" + address);
    }

    void add_neighbour(const std::string& address, const std::string& driver) {
        tree.device(pci_bus + "/" + address,
                    "bus/pci",
                    {{"vendor", "0x8086\n"}, {"device", "0x10c9\n"}, {"class", "0x020000\n"}});
        join_group(address);
        bind(address, driver);
    }

    void bind(const std::string& address, const std::string& driver) {
        tree.link(pci_bus + "/" + address + "/driver", drivers + driver);
    }

    /// As the kernel does it, on the thread that writes.
    void write(const std::string& path, const std::string& text) {
        Sysfs(tree.root()).write(path, text);
        writes.push_back(path.substr(path.rfind('/') + 1) + "=" + text.substr(0, text.find('\n')));
        if (path.ends_with("/unbind")) {
            tree.remove(pci_bus + "/" + text + "/driver");
        } else if (path.ends_with("/drivers_probe") && !refuses) {
            const std::string wanted = override_of(text);
            bind(text, wanted.empty() ? "nvme" : wanted);
        }
    }

    std::string override_of(const std::string& address) const {
        return Sysfs(tree.root()).text(pci_bus + "/" + address + "/driver_override").value_or("");
    }

    std::string driver_now() const { return actions::driver_of(Sysfs(tree.root()), function); }

    std::string leases() const { return tree.root() / "leases"; }

    bool journal_is_empty() const {
        return !std::filesystem::exists(leases()) || std::filesystem::is_empty(leases());
    }

    HostTree tree;
    std::string function;
    std::vector<std::string> writes;
    bool refuses = false; // no driver takes the device
};

/// What a daemon has, from the journal on.
struct Daemon {
    explicit Daemon(Host& on)
        : driver(
              loop,
              ProbeSources{.sysfs = Sysfs(on.tree.root()),
                           .names = [](const std::string&, const char*) { return std::string(); },
                           .vpd = {}},
              on.leases()) {
        driver.write = [&on](const std::string& path, const std::string& text) {
            on.write(path, text);
        };
        std::vector<NodeDevice> found;
        for (const std::string& path : device_paths(driver.sources)) {
            if (auto device = probe_device(driver.sources, path)) {
                found.push_back(std::move(*device));
            }
        }
        driver.registry.assign(std::move(found));
    }

    void take(const std::string& holder) {
        finish(loop, actions::take_device(driver, name, holder, actions::vfio_driver));
    }

    void release(const std::string& holder) {
        finish(loop, actions::release_device(driver, name, holder));
    }

    Loop loop;
    Driver driver;
};

template <class F>
std::string error_of(ErrorCode code, F action) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(error.code() == code);
        return error.what();
    }
    return "no error";
}

void check_contains(const std::string& text, const std::string& part) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
}

const std::string guest = "domain/1234";

/// Puts what came over an eventfd there.
int seen(sd_event_source*, int fd, uint32_t, void* value) noexcept {
    eventfd_t got = 0;
    ::eventfd_read(fd, &got);
    *static_cast<size_t*>(value) = got;
    return 0;
}

} // namespace

TEST_CASE("a device goes to vfio-pci and comes back, by driver_override and never by new_id") {
    Host host;
    Daemon daemon(host);
    daemon.take(guest);
    CHECK(host.driver_now() == "vfio-pci");
    CHECK(host.writes == std::vector<std::string>{"driver_override=vfio-pci",
                                                  "unbind=" + slot,
                                                  "drivers_probe=" + slot});
    const Lease* lease = daemon.driver.leases.find(slot);
    REQUIRE(lease != nullptr);
    CHECK(lease->holder == guest);
    CHECK(lease->host_driver == "nvme");
    CHECK(lease->host_override.empty());
    CHECK(lease->state == LeaseState::held);
    check_contains(read_file(host.leases() + "/" + slot + ".json"), "\"held\"");
    host.writes.clear();
    daemon.take(guest); // it has it
    CHECK(host.writes.empty());
    daemon.release(guest);
    CHECK(host.driver_now() == "nvme");
    CHECK(host.override_of(slot).empty());
    CHECK(daemon.driver.leases.find(slot) == nullptr);
    CHECK(host.journal_is_empty());
    host.writes.clear();
    daemon.release(guest); // no lease is no error
    CHECK(host.writes.empty());
}

TEST_CASE("100 cycles leave the device as it was") {
    Host host;
    Daemon daemon(host);
    for (int i = 0; i < 100; ++i) {
        daemon.take("");
        CHECK(host.driver_now() == "vfio-pci");
        daemon.release("");
        CHECK(host.driver_now() == "nvme");
    }
    CHECK(host.override_of(slot).empty());
    CHECK(host.journal_is_empty());
    CHECK(host.writes.size() == 600);
}

TEST_CASE("an override and a driver that were there before come back") {
    Host host;
    host.tree.write(host.function + "/driver_override", "igb\n");
    host.tree.remove(host.function + "/driver");
    Daemon daemon(host);
    daemon.take(guest);
    daemon.release(guest);
    CHECK(host.override_of(slot) == "igb");
    CHECK(host.driver_now().empty()); // nobody held it
}

TEST_CASE("a device that the host uses is refused, by name of what uses it, and left alone") {
    Host host;
    Daemon daemon(host);
    host.tree.write("/proc/1/mountinfo", "36 1 259:1 / /srv rw - ext4 /dev/nvme0n1 rw\n");
    host.tree.write("/proc/77/comm", "dd\n");
    host.tree.link("/proc/77/fd/3", "/dev/ng0n1");
    const std::string refused = error_of(ErrorCode::resource_busy, [&] { daemon.take(guest); });
    check_contains(refused, "device '" + name + "' is in use by the host");
    check_contains(refused, "mount '/srv' (/dev/nvme0n1)");
    check_contains(refused, "open 'dd (process 77)' (/dev/ng0n1)");
    check_contains(
        error_of(ErrorCode::resource_busy,
                 [&] { finish(daemon.loop, actions::reset_device(daemon.driver, name)); }),
        "mount '/srv'");
    CHECK(host.writes.empty());
    CHECK(host.journal_is_empty());
}

TEST_CASE("another holder, a guest with the group open, and a device without group are refused") {
    Host host;
    Daemon daemon(host);
    daemon.take(guest);
    check_contains(error_of(ErrorCode::resource_busy, [&] { daemon.take("domain/5"); }),
                   "is held by 'domain/1234'");
    check_contains(error_of(ErrorCode::resource_busy, [&] { daemon.release(""); }),
                   "is held by 'domain/1234'");
    host.tree.write("/proc/99/comm", "qemu\n");
    host.tree.link("/proc/99/fd/12", "/dev/vfio/7");
    check_contains(error_of(ErrorCode::resource_busy, [&] { daemon.release(guest); }),
                   "in use by a guest: open 'qemu (process 99)' (/dev/vfio/7); IOMMU group 7:");
    CHECK(host.driver_now() == "vfio-pci");
    host.tree.remove("/proc/99");
    daemon.release(guest);
    host.tree.remove(host.function + "/iommu_group");
    check_contains(error_of(ErrorCode::operation_invalid, [&] { daemon.take(guest); }),
                   "is in no IOMMU group: switch the IOMMU on");
}

TEST_CASE("a guest needs the whole group; an administrator may detach one after the other") {
    Host host;
    host.add_neighbour("0000:01:00.1", "igb");
    Daemon daemon(host);
    check_contains(error_of(ErrorCode::operation_invalid, [&] { daemon.take(guest); }),
                   "IOMMU group 7: 0000:01:00.0 (nvme), 0000:01:00.1 (igb)");
    CHECK(host.writes.empty());
    daemon.take("");
    CHECK(host.driver_now() == "vfio-pci");
    daemon.release("");
    host.tree.write(pci_bus + "/0000:01:00.1/class", "0x060400\n"); // a bridge stays
    daemon.take(guest);
    CHECK(host.driver_now() == "vfio-pci");
}

TEST_CASE("where no driver takes the device, it goes back, and the error names the group") {
    Host host;
    Daemon daemon(host);
    daemon.driver.step_limit = 50ms;
    daemon.driver.write = [&](const std::string& path, const std::string& text) {
        host.refuses = host.override_of(slot) == "vfio-pci";
        host.write(path, text);
    };
    const std::string failed = error_of(ErrorCode::operation_failed, [&] { daemon.take(guest); });
    check_contains(failed, "device '" + name + "' is not detached");
    check_contains(failed, "driver 'vfio-pci' did not take it within 50 ms");
    check_contains(failed, "IOMMU group 7:");
    CHECK(host.driver_now() == "nvme");
    CHECK(host.journal_is_empty());
}

TEST_CASE("a driver that the kernel does not have, or that is none for guests, is refused") {
    Host host;
    Daemon daemon(host);
    host.tree.remove(drivers + "vfio-pci");
    check_contains(error_of(ErrorCode::operation_failed, [&] { daemon.take(guest); }),
                   "the kernel has no PCI driver 'vfio-pci'");
    CHECK(host.driver_now() == "nvme");
    CHECK(actions::checked_driver("") == "vfio-pci");
    CHECK(actions::checked_driver("vfio") == "vfio-pci");
    CHECK(actions::checked_driver("mlx5_vfio_pci") == "mlx5_vfio_pci");
    for (const char* word : {"kvm", "xen", "nvme", "../vfio"}) {
        CAPTURE(std::string(word));
        error_of(ErrorCode::argument_unsupported, [&] { actions::checked_driver(word); });
        CHECK_THROWS_AS(actions::checked_driver(word), Error);
    }
}

TEST_CASE("a kernel that hangs is named after the limit, and the loop goes on meanwhile") {
    Host host;
    std::mutex mutex;
    std::condition_variable wake;
    bool hanging = true;
    std::promise<void> finished;
    Daemon daemon(host);
    daemon.driver.step_limit = 100ms;
    daemon.driver.write = [&](const std::string& path, const std::string& text) {
        std::unique_lock lock(mutex);
        if (path.ends_with("/unbind")) {
            wake.wait(lock, [&] { return !hanging; });
            host.write(path, text);
            finished.set_value();
            return;
        }
        host.write(path, text);
    };
    Outcome<void> outcome;
    int turns = 0;
    {
        Scope scope(daemon.loop);
        scope.spawn(observe(actions::take_device(daemon.driver, name, guest, actions::vfio_driver),
                            outcome),
                    "take");
        while (!outcome.ended) {
            ++turns;
            daemon.loop.run_once(20s);
        }
    }
    CHECK(turns > 1);
    const std::string failed =
        error_of(ErrorCode::operation_timeout, [&] { std::rethrow_exception(outcome.failure); });
    check_contains(failed, host.function + "/driver/unbind' within 100 ms");
    // What the kernel does later nobody knows: it is remembered, and given back when it can be.
    REQUIRE(daemon.driver.leases.find(slot) != nullptr);
    CHECK(daemon.driver.leases.find(slot)->state == LeaseState::returning);
    {
        const std::lock_guard lock(mutex);
        hanging = false;
        wake.notify_all();
    }
    finished.get_future().wait();
    CHECK(host.driver_now().empty());
    daemon.driver.step_limit = 20s;
    daemon.release(guest);
    CHECK(host.driver_now() == "nvme");
    CHECK(host.journal_is_empty());
}

TEST_CASE("a daemon that is killed at any step leaves a device that the next one gives back") {
    for (size_t step = 1; step <= 3; ++step) {
        CAPTURE(step);
        Host host;
        {
            size_t count = 0; // of the worker thread, which ends with the daemon
            std::promise<void> dead;
            const Fd reached(::eventfd(0, EFD_CLOEXEC));
            size_t written = 0;
            Outcome<void> outcome;
            Daemon daemon(host);
            sd_event_add_io(daemon.loop.get(), nullptr, reached.get(), EPOLLIN, &seen, &written);
            daemon.driver.write = [&](const std::string& path, const std::string& text) {
                host.write(path, text);
                if (++count == step) { // done in the kernel, and nobody hears of it any more
                    ::eventfd_write(reached.get(), step);
                    dead.get_future().wait();
                }
            };
            {
                Scope scope(daemon.loop);
                scope.spawn(
                    observe(actions::take_device(daemon.driver, name, guest, actions::vfio_driver),
                            outcome),
                    "take");
                REQUIRE(run_until(daemon.loop, [&] { return written == step; }));
            }
            dead.set_value();
        } // here it dies: nothing is undone
        CHECK_FALSE(host.journal_is_empty());
        Daemon next(host);
        finish(next.loop, actions::recover_leases(next.driver));
        CHECK(host.driver_now() == "nvme");
        CHECK(host.override_of(slot).empty());
        CHECK(host.journal_is_empty());
    }
}

TEST_CASE("a daemon that is killed at any step of giving back leaves what the next one ends") {
    for (size_t step = 1; step <= 3; ++step) {
        CAPTURE(step);
        Host host;
        {
            size_t count = 0; // of the worker thread, which ends with the daemon
            std::promise<void> dead;
            const Fd reached(::eventfd(0, EFD_CLOEXEC));
            size_t written = 0;
            Outcome<void> outcome;
            Daemon daemon(host);
            daemon.take(guest);
            sd_event_add_io(daemon.loop.get(), nullptr, reached.get(), EPOLLIN, &seen, &written);
            daemon.driver.write = [&](const std::string& path, const std::string& text) {
                host.write(path, text);
                if (++count == step) {
                    ::eventfd_write(reached.get(), step);
                    dead.get_future().wait();
                }
            };
            {
                Scope scope(daemon.loop);
                scope.spawn(observe(actions::release_device(daemon.driver, name, guest), outcome),
                            "release");
                REQUIRE(run_until(daemon.loop, [&] { return written == step; }));
            }
            dead.set_value();
        }
        Daemon next(host);
        REQUIRE(next.driver.leases.find(slot) != nullptr);
        CHECK(next.driver.leases.find(slot)->state == LeaseState::returning);
        finish(next.loop, actions::recover_leases(next.driver));
        CHECK(host.driver_now() == "nvme");
        CHECK(host.override_of(slot).empty());
        CHECK(host.journal_is_empty());
    }
}

TEST_CASE("who has a member of the group, or a virtual function, keeps others from the rest") {
    Host host;
    const std::string second = "0000:01:00.1";
    host.add_neighbour(second, "vfio-pci");
    Daemon daemon(host);
    Lease lease;
    lease.address = second;
    lease.holder = "domain/5";
    lease.state = LeaseState::held;
    daemon.driver.leases.save(lease);
    check_contains(error_of(ErrorCode::resource_busy, [&] { daemon.take(guest); }),
                   "goes with the member of IOMMU group 7 0000:01:00.1, which is held by "
                   "'domain/5'");
    CHECK(host.writes.empty());
    finish(daemon.loop,
           actions::take_device(daemon.driver, name, "domain/5", actions::vfio_driver));
    CHECK(host.driver_now() == "vfio-pci"); // one guest may have both
    daemon.release("domain/5");
    host.tree.remove("/sys/kernel/iommu_groups/7/devices/" + second);
    host.tree.link(host.function + "/virtfn0", pci_bus + "/" + second);
    check_contains(error_of(ErrorCode::resource_busy, [&] { daemon.take(""); }),
                   "goes with its virtual function 0000:01:00.1, which is held by 'domain/5'");
    check_contains(
        error_of(ErrorCode::resource_busy,
                 [&] { finish(daemon.loop, actions::reset_device(daemon.driver, name)); }),
        "virtual function 0000:01:00.1");
}

TEST_CASE("a device that is unplugged takes its lease along, and another in its place has none") {
    Host host;
    Daemon daemon(host);
    daemon.take(guest);
    actions::forget_device(daemon.driver, pci_bus + "/0000:01:00.1");
    actions::forget_device(daemon.driver, "/sys/devices/virtual/x");
    CHECK(daemon.driver.leases.find(slot) != nullptr);
    actions::forget_device(daemon.driver, host.function);
    CHECK(daemon.driver.leases.find(slot) == nullptr);
    CHECK(host.journal_is_empty());
}

TEST_CASE("a lease outlives its daemon, and ends with its device or where others ended it") {
    Host host;
    {
        Daemon daemon(host);
        daemon.take(guest);
    }
    Daemon second(host);
    finish(second.loop, actions::recover_leases(second.driver));
    REQUIRE(second.driver.leases.find(slot) != nullptr);
    CHECK(second.driver.leases.find(slot)->holder == guest);
    CHECK(host.driver_now() == "vfio-pci");
    host.tree.remove(host.function + "/driver");
    host.bind(slot, "nvme"); // somebody by hand
    Daemon third(host);
    finish(third.loop, actions::recover_leases(third.driver));
    CHECK(third.driver.leases.find(slot) == nullptr);
    third.take(guest);
    host.tree.remove("/sys/bus/pci/devices/" + slot);
    Daemon fourth(host);
    finish(fourth.loop, actions::recover_leases(fourth.driver));
    CHECK(host.journal_is_empty());
}

TEST_CASE("a lease ends with its holder's process, also one that ended while no daemon ran") {
    Host host;
    const auto child = [](Loop& loop) {
        ProcessSpec spec;
        spec.program = "sleep";
        spec.arguments = {"1000"};
        return finish(loop, spawn(loop, std::move(spec)));
    };
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, nullptr); // sd-event asks for it
    Loop loop;
    {
        Daemon daemon(host);
        Process process = child(loop);
        const auto take = [&](uint32_t pid) {
            finish(daemon.loop,
                   actions::take_device(daemon.driver, name, guest, actions::vfio_driver, pid));
        };
        check_contains(error_of(ErrorCode::invalid_arg, [&] { take(UINT32_MAX >> 1); }),
                       "there is no process");
        take(static_cast<uint32_t>(process.pid()));
        CHECK(daemon.driver.followers.running() == 1);
        process.kill(SIGKILL);
        REQUIRE(run_until(daemon.loop, [&] { return host.journal_is_empty(); }));
        CHECK(host.driver_now() == "nvme");
    }
    Process other = child(loop);
    {
        Daemon daemon(host);
        finish(daemon.loop,
               actions::take_device(daemon.driver,
                                    name,
                                    guest,
                                    actions::vfio_driver,
                                    static_cast<uint32_t>(other.pid())));
    }
    {
        Daemon next(host);
        finish(next.loop, actions::recover_leases(next.driver));
        CHECK(next.driver.leases.find(slot) != nullptr); // it still runs
    }
    other.kill(SIGKILL);
    finish(loop, other.wait(loop));
    Daemon last(host);
    finish(last.loop, actions::recover_leases(last.driver));
    REQUIRE(run_until(last.loop, [&] { return host.journal_is_empty(); }));
    CHECK(host.driver_now() == "nvme");
}

TEST_CASE("a journal that cannot be read is left alone and no lease") {
    Host host;
    std::filesystem::create_directories(host.leases());
    write_file(host.leases() + "/x.json", "{\"address\":");
    Daemon daemon(host);
    CHECK(daemon.driver.leases.all().empty());
    CHECK(std::filesystem::exists(host.leases() + "/x.json"));
}

TEST_CASE("a device that somebody else gave to vfio-pci is given to the driver that fits") {
    Host host;
    host.tree.remove(host.function + "/driver");
    host.bind(slot, "vfio-pci");
    host.tree.write(host.function + "/driver_override", "vfio-pci\n");
    Daemon daemon(host);
    finish(daemon.loop, actions::reattach_device(daemon.driver, name));
    CHECK(host.driver_now() == "nvme");
    host.writes.clear();
    finish(daemon.loop, actions::reattach_device(daemon.driver, name)); // it is there
    CHECK(host.writes.empty());
}

TEST_CASE("a device is reset where it can be") {
    Host host;
    Daemon daemon(host);
    const auto reset = [&] { finish(daemon.loop, actions::reset_device(daemon.driver, name)); };
    check_contains(error_of(ErrorCode::operation_unsupported, reset), "no way to be reset alone");
    host.tree.write(host.function + "/reset", "");
    reset();
    CHECK(host.writes == std::vector<std::string>{"reset=1"});
    daemon.take(guest);
    check_contains(error_of(ErrorCode::resource_busy, reset), "is held by");
}

TEST_CASE("what is no PCI device cannot be detached") {
    Host host;
    Daemon daemon(host);
    check_contains(
        error_of(ErrorCode::operation_invalid,
                 [&] {
                     finish(daemon.loop,
                            actions::take_device(daemon.driver, "nvme_nvme0", guest, "vfio-pci"));
                 }),
        "device 'nvme_nvme0' is not a PCI device");
    error_of(ErrorCode::no_node_device, [&] {
        finish(daemon.loop, actions::take_device(daemon.driver, "pci_9", guest, "vfio-pci"));
    });
}
