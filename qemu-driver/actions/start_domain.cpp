// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/start_domain.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/attach_monitor.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/prepare_guest.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/settle_guest.hpp"
#include "qemu-driver/actions/stop_guest.hpp"
#include "qemu-driver/devices/host_setup.hpp"
#include "qemu-driver/devices/memory_policy.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_secrets.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/launch/descriptors.hpp"
#include "qemu-driver/launch/guest_log.hpp"
#include "qemu-driver/launch/guest_scope.hpp"
#include "qemu-driver/launch/helpers.hpp"
#include "qemu-driver/launch/huge_pages.hpp"
#include "qemu-driver/launch/launch_facts.hpp"
#include "qemu-driver/launch/memory_folders.hpp"
#include "qemu-driver/launch/numa_advice.hpp"
#include "qemu-driver/launch/nvram.hpp"
#include "qemu-driver/launch/scsi_devices.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto greeting_limit = 60s;       // QEMU prepares memory and disks before it answers
constexpr auto nvme_greeting_limit = 210s; // and NVMe controllers, see run_plan()
constexpr auto settling_limit = 30s;
constexpr auto ending_limit = 30s;

constexpr std::uint32_t paused_flag = 1;
constexpr std::uint32_t autodestroy_flag = 2;
constexpr std::uint32_t bypass_cache_flag = 4;
constexpr std::uint32_t force_boot_flag = 8;
constexpr std::uint32_t validate_flag = 16;
constexpr std::uint32_t reset_nvram_flag = 32;

/// Reaps what a failed start leaves running.
Task<void> reap(Loop& loop, std::shared_ptr<Guest> guest) {
    co_await guest->process->wait(loop);
}

/// Ends what there is of a process, and gives the host the devices back that were taken for it.
Task<void> take_back(Driver& driver, std::string uuid, std::shared_ptr<Guest> guest) {
    if (guest->process) {
        guest->process->kill(SIGKILL);
        auto ending = reap(driver.ctx.loop, guest);
        try {
            co_await Deadline(driver.ctx.loop, std::move(ending), ending_limit, "the guest");
        } catch (const Error& e) { // the kernel holds it, and with it its devices
            log::error("guest {}: {}", guest->id, e.what());
        }
    }
    if (guest->has_devices) {
        std::vector<HostFunction> functions = host_functions(*guest->live);
        co_await release_functions(driver, std::move(uuid), std::move(functions));
    }
}

/// Takes a start back unless it is completed: process, folder, registry, state.
class StartRollback {
  public:
    StartRollback(Driver& driver, DomainPtr domain) : driver_(driver), domain_(std::move(domain)) {}

    StartRollback(const StartRollback&) = delete;
    StartRollback& operator=(const StartRollback&) = delete;

    ~StartRollback() {
        if (!domain_) {
            return;
        }
        const std::shared_ptr<Guest> guest = domain_->guest;
        if (guest->process) {
            guest->process->kill(SIGKILL);
            driver_.followers.spawn(reap(driver_.ctx.loop, guest), "reap " + domain_->name);
        }
        make_inactive(
            driver_, domain_, guest->destroy_wanted ? reason::destroyed : reason::start_failed);
        guest->ended.notify();
    }

    void release() { domain_.reset(); }

  private:
    Driver& driver_;
    DomainPtr domain_;
};

} // namespace

LaunchFacts launch_facts(const Driver& driver, const Guest& guest) {
    return launch_facts_of(
        driver.options.directories, driver.statuses.folder_of(guest.id), guest.id, *guest.live);
}

namespace {

ProcessSpec process_spec(const LaunchRequest& launch,
                         const std::vector<OpenedDescriptor>& opened,
                         const GuestLog& log,
                         std::string pid_file) {
    ProcessSpec spec;
    spec.program = launch.argv.front();
    spec.arguments.assign(launch.argv.begin() + 1, launch.argv.end());
    std::vector<std::string> environment{
        "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    for (const auto& [name, value] : launch.environment) {
        environment.push_back(name + "=" + value);
    }
    spec.environment = std::move(environment);
    for (const OpenedDescriptor& descriptor : opened) {
        spec.descriptors.push_back({descriptor.fd.get(), descriptor.number});
    }
    spec.output = log.fd();
    spec.errors = log.fd();
    spec.pid_file = std::move(pid_file);
    spec.own_session = true;
    return spec;
}

/// The names that the kernel gave to tap devices.
void adopt_taps(Guest& guest, const std::vector<OpenedDescriptor>& opened) {
    auto live = std::make_shared<DomainDef>(*guest.live);
    for (const OpenedDescriptor& descriptor : opened) {
        for (InterfaceDef& interface : live->devices.interfaces) {
            if (!descriptor.tap.empty() && interface.info.alias == descriptor.owner) {
                interface.target_dev = descriptor.tap;
            }
        }
    }
    guest.live = std::move(live);
}

Task<void> reap_helper(Loop& loop, std::shared_ptr<Process> helper) {
    co_await helper->wait(loop);
}

/// What must listen before QEMU runs. Each ends with the guest.
Task<void> start_helpers(Driver& driver, DomainPtr domain, int log) {
    const std::shared_ptr<Guest> guest = domain->guest;
    const std::string folder = driver.statuses.folder_of(guest->id);
    const HelperPlaces places{folder, driver.ctx.options.directories.state};
    std::vector<Helper> helpers = wanted_helpers(*guest->live, places);
    for (Helper& helper : helpers) {
        const std::string owner = helper.owner;
        auto starting =
            start_helper(driver.ctx.loop, std::move(helper), helper_pid_file(folder, owner), log);
        Process started = co_await std::move(starting);
        auto process = std::make_shared<Process>(std::move(started));
        guest->helpers.push_back(process);
        driver.followers.spawn(reap_helper(driver.ctx.loop, std::move(process)),
                               fmt::format("helper of {} in {}", owner, domain->name));
    }
}

/// While the process waits to become QEMU, nobody else could tell it that it is not wanted any
/// more.
Task<void>
take_devices(Driver& driver, DomainPtr domain, std::vector<HostFunction> functions, pid_t pid) {
    const std::shared_ptr<Guest> guest = domain->guest;
    auto taking = acquire_functions(
        driver, domain->uuid, std::move(functions), static_cast<std::uint32_t>(pid));
    co_await std::move(taking);
    guest->has_devices = true;
    if (guest->destroy_wanted) {
        throw Error(ErrorCode::operation_aborted, "the domain was destroyed while it started");
    }
}

Task<void> launch(Driver& driver,
                  DomainPtr domain,
                  std::shared_ptr<const QemuCapabilities> capabilities,
                  bool reset_nvram) {
    const std::shared_ptr<Guest> guest = domain->guest;
    driver.statuses.make_folder(guest->id);
    save_status(driver, *domain);
    co_await prepare_guest(driver, guest, capabilities);
    co_await prepare_nvram(driver.ctx.loop, guest->live, reset_nvram);
    GuestLog log(driver.ctx.options.directories.log + "/qemu", domain->name);
    refuse_missing_host_setup(*guest->live);
    require_huge_pages(*guest->live, page_facts(), Sysfs());
    LaunchFacts facts = launch_facts(driver, *guest);
    facts.numad_advice = co_await numa_advice(driver.ctx.loop, guest->live);
    facts.scsi_nodes = find_scsi_devices(*guest->live, driver.host, last_node_number(*guest));
    make_master_key(facts.private_dir);
    facts.secrets = co_await fetch_secrets(driver, guest->live, facts.private_dir);
    const MemoryFolders folders(*guest->live, facts);
    const std::vector<HostFunction> functions = host_functions(*guest->live);
    const auto obstacles = co_await find_obstacles(driver, guest->live, functions, guest->id);
    if (!obstacles.empty()) {
        throw to_error(obstacles);
    }
    LaunchRequest request = build_launch(*guest->live, *capabilities, facts);
    log.write_start(request.argv);
    std::string monitor_path;
    for (const Descriptor& descriptor : request.descriptors) {
        if (descriptor.kind == DescriptorKind::monitor) {
            monitor_path = descriptor.path;
        }
    }
    try {
        co_await start_helpers(driver, domain, log.fd());
        std::vector<OpenedDescriptor> opened = open_descriptors(request.descriptors);
        adopt_taps(*guest, opened);
        ProcessSpec spec =
            process_spec(request, opened, log, driver.statuses.pid_file_of(guest->id));
        spec.memlock_bytes = memlock_bytes(*guest->live, driver.host);
        spec.memory_policy = memory_policy(*guest->live, facts.numad_advice);
        BeforeExec taking = [&driver, domain, functions](pid_t pid) {
            return take_devices(driver, domain, functions, pid);
        };
        auto spawning = functions.empty()
                            ? spawn(driver.ctx.loop, std::move(spec))
                            : spawn(driver.ctx.loop, std::move(spec), std::move(taking));
        Process process = co_await std::move(spawning);
        guest->process.emplace(std::move(process));
        opened.clear(); // QEMU's ends: nobody else keeps a socket listening
        if (has_guest_scopes(driver.ctx.options)) { // while QEMU starts, and has no memory yet
            std::string unit = scope_of(guest->id, domain->name, domain->uuid);
            co_await enter_guest_scope(
                driver.ctx.loop, guest->process->pid(), std::move(unit), domain->name);
        }
        // It listens since before QEMU ran: the connection is there at once, the greeting follows.
        attach_monitor(driver, domain, monitor_path);
        auto greeting = guest->monitor->negotiate();
        const auto limit = std::ranges::any_of(functions, &HostFunction::nvme) ? nvme_greeting_limit
                                                                               : greeting_limit;
        co_await Deadline(driver.ctx.loop, std::move(greeting), limit, "QEMU's greeting");
        auto settling = settle_guest(guest, request.argv);
        co_await Deadline(
            driver.ctx.loop, std::move(settling), settling_limit, "QEMU's preparation");
        co_await refresh_memory_devices(driver, domain, guest);
    } catch (Error& e) {
        if (guest->destroy_wanted) {
            throw Error(ErrorCode::operation_aborted, "the domain was destroyed while it started");
        }
        const std::string words = log.last_words();
        if (words.empty()) {
            throw;
        }
        throw Error(e.code(), "{}; QEMU said: {}", e.what(), words);
    }
}

/// Runs what `def` describes as `domain`, which is registered and inactive. In the domain's turn.
Task<void> run(Driver& driver,
               DomainPtr domain,
               ResolvedDomain resolved,
               StartOptions options,
               bus::Caller caller) {
    auto guest = std::make_shared<Guest>(driver.ctx.loop);
    guest->id = driver.statuses.next_id();
    DomainDef live = live_definition(std::move(resolved.def), guest->id);
    guest->live = std::make_shared<const DomainDef>(std::move(live));
    driver.registry.set_guest(*domain, guest);
    StartRollback rollback(driver, domain);
    driver.events.set_state(*domain, reason::starting_up);
    log::info("domain '{}': starting with id {} for {}",
              domain->name,
              guest->id,
              caller.name.empty() ? "a direct client" : caller.name);
    std::optional<Error> failure;
    try {
        co_await launch(driver, domain, resolved.capabilities, options.reset_nvram);
        if (!options.paused) {
            auto resuming = guest->monitor->execute("cont");
            co_await Deadline(driver.ctx.loop, std::move(resuming), settling_limit, "'cont'");
        }
    } catch (Error& e) {
        failure = e.within(fmt::format("start domain '{}'", domain->name));
    }
    if (failure) {
        co_await take_back(driver, domain->uuid, guest);
        throw std::move(*failure);
    }
    if (options.autodestroy) {
        watch_autodestroy(driver, domain, caller);
    }
    guest->starting = false;
    rollback.release();
    driver.followers.spawn(follow_guest(driver, domain, guest), "follow " + domain->name);
    driver.events.set_state(*domain, options.paused ? reason::paused_by_user : reason::booted);
    save_status(driver, *domain);
    announce_memory_devices(driver, *domain);
    tell_of_memory(driver, *domain);
    driver.events.lifecycle(*domain, lifecycle::started_booted);
    if (options.paused) {
        driver.events.lifecycle(*domain, lifecycle::suspended_paused);
    }
}

} // namespace

StartOptions StartOptions::from_flags(std::uint32_t flags) {
    const std::uint32_t known = paused_flag | autodestroy_flag | bypass_cache_flag |
                                force_boot_flag | validate_flag | reset_nvram_flag;
    if ((flags & ~known) != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags ({:#x}) to start a domain", flags & ~known);
    }
    return StartOptions{(flags & paused_flag) != 0,
                        (flags & autodestroy_flag) != 0,
                        (flags & validate_flag) != 0,
                        (flags & reset_nvram_flag) != 0};
}

Task<void>
start_domain(Driver& driver, DomainPtr domain, StartOptions options, bus::Caller caller) {
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    if (domain->active()) {
        throw Error(ErrorCode::operation_invalid, "domain is already running");
    }
    ResolvedDomain resolved = co_await resolve_stored(driver, domain);
    co_await run(driver, domain, std::move(resolved), options, std::move(caller));
}

Task<DomainPtr>
create_domain(Driver& driver, std::string xml, StartOptions options, bus::Caller caller) {
    const Unknowns unknowns = options.validate ? Unknowns::refused : Unknowns::logged;
    ResolvedDomain resolved = co_await read_definition(driver, std::move(xml), unknowns);
    DomainPtr domain = driver.registry.find_uuid(*resolved.def.uuid);
    if (domain && domain->name != resolved.def.name) {
        throw Error(ErrorCode::operation_failed,
                    "domain '{}' is already defined with uuid {}",
                    domain->name,
                    domain->uuid);
    }
    if (!domain) {
        domain = std::make_shared<Domain>(driver.ctx.loop, *resolved.def.uuid, resolved.def.name);
        driver.registry.add(domain);
        driver.events.added(*domain);
    }
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    if (domain->active()) {
        throw Error(ErrorCode::operation_invalid, "domain '{}' is already active", domain->name);
    }
    co_await run(driver, domain, std::move(resolved), options, std::move(caller));
    co_return domain;
}

Task<void> autostart_domains(Driver& driver) {
    std::vector<DomainPtr> wanted;
    for (const auto& [name, domain] : driver.registry.by_names()) {
        if (domain->autostart && !domain->active()) {
            wanted.push_back(domain);
        }
    }
    for (const DomainPtr& domain : wanted) {
        try {
            StartOptions options;
            bus::Caller nobody{};
            co_await start_domain(driver, domain, options, std::move(nobody));
        } catch (const Error& e) {
            log::error("autostart: {}", e.phrased());
        }
    }
}

} // namespace vireo::qemu::actions
