// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/guest_scope.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/bus/call.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"

#include <systemd/sd-daemon.h>

#include <map>
#include <memory>
#include <tuple>
#include <utility>

namespace vireo::qemu {

namespace {

using namespace std::chrono_literals;

constexpr auto scope_limit = 10s;
constexpr std::size_t longest_unit = 255;
constexpr const char* manager = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";

bool may_stand_in_a_unit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":_.-").find(c) != std::string_view::npos;
}

/// A connection to systemd, and what it tells there of its jobs: a call is answered when its job is
/// queued, and how that has ended follows as a signal.
class JobResults {
  public:
    explicit JobResults(Loop& loop) : changed_(loop) {
        sd_bus* opened = nullptr;
        check(sd_bus_open_system(&opened), "connect to the system bus");
        bus_.reset(opened);
        check(sd_bus_attach_event(opened, loop.get(), SD_EVENT_PRIORITY_NORMAL), "attach the bus");
        sd_bus_slot* slot = nullptr;
        check(sd_bus_match_signal_async(opened,
                                        &slot,
                                        manager,
                                        manager_path,
                                        manager_interface,
                                        "JobRemoved",
                                        &on_removed,
                                        nullptr,
                                        this),
              "watch systemd's jobs");
        removals_.reset(slot);
    }

    JobResults(const JobResults&) = delete;
    JobResults& operator=(const JobResults&) = delete;

    sd_bus* bus() const noexcept { return bus_.get(); }

    /// `done` where it was successful.
    Task<std::string> of(std::string job) {
        while (!results_.contains(job)) {
            co_await changed_.next();
        }
        co_return results_.at(job);
    }

  private:
    static int on_removed(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
        auto& self = *static_cast<JobResults*>(context);
        try {
            const auto told =
                bus::read_all<std::uint32_t, bus::ObjectPath, std::string, std::string>(message);
            self.results_.insert_or_assign(std::get<1>(told), std::get<3>(told));
            self.changed_.notify();
        } catch (const std::exception& e) {
            log::warning("a signal of systemd cannot be read: {}", e.what());
        }
        return 0;
    }

    bus::Bus bus_;
    bus::Slot removals_;
    std::map<std::string, std::string> results_;
    Condition changed_;
};

bus::Message
start_call(sd_bus* connection, pid_t pid, const std::string& unit, const std::string& name) {
    bus::Message call =
        bus::new_call(connection, manager, manager_path, manager_interface, "StartTransientUnit");
    const std::string description = "Virtual machine " + name;
    constexpr const char* daemon = "vireo-qemud.service";
    check(sd_bus_message_append(call.get(),
                                "ssa(sv)a(sa(sv))",
                                unit.c_str(),
                                "fail",
                                7,
                                "Description",
                                "s",
                                description.c_str(),
                                "Slice",
                                "s",
                                "machine.slice",
                                "PIDs",
                                "au",
                                1,
                                static_cast<std::uint32_t>(pid),
                                "TasksMax",
                                "t",
                                UINT64_MAX,
                                "CollectMode",
                                "s",
                                "inactive-or-failed",
                                "OnSuccess",
                                "as",
                                1,
                                daemon,
                                "OnFailure",
                                "as",
                                1,
                                daemon,
                                0),
          "write a D-Bus message");
    return call;
}

Task<void> start_scope(JobResults& systemd, pid_t pid, std::string unit, std::string name) {
    bus::Message call = start_call(systemd.bus(), pid, unit, name);
    const bus::Message reply = co_await bus::Call(systemd.bus(), std::move(call), scope_limit);
    std::string job = bus::read<bus::ObjectPath>(reply.get());
    const std::string result = co_await systemd.of(std::move(job));
    if (result != "done") {
        throw Error(ErrorCode::operation_failed, "systemd's job for {}: {}", unit, result);
    }
}

} // namespace

std::string scope_of(std::uint32_t id, std::string_view name, std::string_view uuid) {
    std::string escaped;
    for (const char c : name) {
        if (may_stand_in_a_unit(c)) {
            escaped += c;
        } else {
            escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    std::string unit = fmt::format("vireo-guest-{}-{}.scope", id, escaped);
    return unit.size() <= longest_unit ? unit : fmt::format("vireo-guest-{}-{}.scope", id, uuid);
}

bool has_guest_scopes(const Options& options) {
    return options.root.empty() && !options.session && sd_booted() > 0;
}

Task<void> enter_guest_scope(Loop& loop, pid_t pid, std::string unit, std::string name) {
    std::unique_ptr<JobResults> systemd;
    std::string problem;
    try {
        systemd = std::make_unique<JobResults>(loop);
        auto starting = start_scope(*systemd, pid, unit, name);
        co_await Deadline(loop, std::move(starting), scope_limit, "the start of " + unit);
    } catch (const Error& e) {
        problem = e.what();
    }
    if (!problem.empty()) {
        log::warning(
            "domain '{}' runs in this daemon's unit, not in one of its own: {}", name, problem);
    }
    // A connection is not closed from its own callback, which may be what has resumed this.
    co_await Sleep(loop, 0us);
}

} // namespace vireo::qemu
