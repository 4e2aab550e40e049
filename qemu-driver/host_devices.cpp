// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/host_devices.hpp"

#include "libshared/bus/path.hpp"
#include "libshared/iommu_group.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/devices/memlock.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

namespace vireo::qemu {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds question_limit = 10s;
// Of each of a few steps nodedevd waits 10 s for the kernel, and names the one that hangs.
constexpr std::chrono::microseconds binding_limit = 60s;
// Of which nodedevd waits 10 s for the kernel, which may only just have found the drive.
constexpr std::chrono::microseconds settling_limit = 20s;
constexpr std::uint64_t no_limit = RLIM_INFINITY;

constexpr const char* lent_device_interface = "org.vireo.NodeDevice1";
constexpr const char* lent_controller_interface = "org.vireo.NvmeController1";
constexpr const char* lent_namespace_interface = "org.vireo.NvmeNamespace1";

std::string device_path(const std::string& name) {
    return "/org/vireo/nodedev/" + bus::encode_path_element(name);
}

std::string word_of(const bus::Dict& dict, std::string_view key) {
    for (const auto& [name, value] : dict) {
        const auto* text = value.get<std::string>();
        if (name == key && text != nullptr) {
            return *text;
        }
    }
    return {};
}

/// The value in a line like `Max locked memory   8388608   8388608   bytes`.
std::string line_after(const std::string& text, std::string_view label) {
    const auto at = text.find(label);
    if (at == std::string::npos) {
        return {};
    }
    const auto begin = at + label.size();
    return text.substr(begin, text.find('\n', begin) - begin);
}

/// What sysfs says; nothing blocks there.
FunctionFacts read_function(const Sysfs& host, const std::string& address) {
    FunctionFacts facts;
    const auto path = host.resolve("/sys/bus/pci/devices/" + address);
    if (!path) {
        return facts;
    }
    facts.present = true;
    constexpr std::int64_t nvme_class = 0x0108; // non-volatile memory, whatever its interface
    facts.is_nvme = host.number(*path + "/class").value_or(0) >> 8 == nvme_class;
    facts.driver = host.link_name(*path + "/driver").value_or("");
    const auto group = read_iommu_group(host, *path);
    if (!group) {
        return facts;
    }
    facts.group = group->number;
    for (const GroupMember& member : group->members) {
        facts.members.push_back({.address = member.address,
                                 .driver = member.driver,
                                 .blocks = !member.bridge && !leaves_group_to_guests(member.driver),
                                 .holder = {}});
    }
    return facts;
}

std::string name_of_function(std::string address) {
    std::ranges::replace_if(
        address, [](char c) { return c == ':' || c == '.'; }, '_');
    return "pci_" + address;
}

Task<std::vector<NamespaceFacts>> ask_namespaces(DriverCaller::ConnectionPtr nodedevd,
                                                 std::string controller) {
    std::vector<NamespaceFacts> found;
    const std::string at = device_path("nvme_" + controller);
    using Paths = std::vector<bus::ObjectPath>;
    const Paths paths = co_await driver_property<Paths>(
        nodedevd, question_limit, at, lent_controller_interface, "Namespaces");
    for (const bus::ObjectPath& path : paths) {
        NamespaceFacts one;
        one.id = co_await driver_property<std::uint32_t>(
            nodedevd, question_limit, path, lent_namespace_interface, "Id");
        one.lba_bytes = co_await driver_property<std::uint32_t>(
            nodedevd, question_limit, path, lent_namespace_interface, "LBASize");
        const auto metadata = co_await driver_property<std::uint32_t>(
            nodedevd, question_limit, path, lent_namespace_interface, "MetadataSize");
        if (metadata != UINT32_MAX) {
            one.metadata_bytes = metadata;
        }
        found.push_back(one);
    }
    co_return std::move(found);
}

/// What only nodedevd knows: leases, uses, and formats of namespaces.
Task<void> ask_nodedevd(DriverCaller::ConnectionPtr nodedevd,
                        const Sysfs& host,
                        const std::string& address,
                        FunctionFacts& facts) {
    const std::string at = device_path(name_of_function(address));
    const bus::Dict lease = co_await driver_property<bus::Dict>(
        nodedevd, question_limit, at, lent_device_interface, "Lease");
    facts.leased = !lease.empty();
    facts.holder = word_of(lease, "Holder");
    using Uses = std::vector<bus::Dict>;
    const Uses uses = co_await driver_property<Uses>(
        nodedevd, question_limit, at, lent_device_interface, "InUseBy");
    for (const bus::Dict& use : uses) {
        facts.uses.push_back(fmt::format(
            "{} '{}' ({})", word_of(use, "Kind"), word_of(use, "By"), word_of(use, "Device")));
    }
    for (GroupMemberFacts& member : facts.members) {
        const std::string other = device_path(name_of_function(member.address));
        const bus::Dict held = co_await driver_property<bus::Dict>(
            nodedevd, question_limit, other, lent_device_interface, "Lease");
        member.holder = word_of(held, "Holder");
    }
    const auto controllers = host.names("/sys/bus/pci/devices/" + address + "/nvme");
    if (!controllers.empty()) {
        auto asking = ask_namespaces(nodedevd, controllers.front());
        facts.namespaces = co_await std::move(asking);
    }
}

std::vector<OtherGuest> other_guests(const Driver& driver, std::uint32_t id) {
    std::vector<OtherGuest> others;
    for (const auto& [other_id, domain] : driver.registry.by_ids()) {
        OtherGuest other{domain->name, lease_holder(domain->uuid), {}};
        if (other_id < id) {
            other.functions = host_functions(*domain->guest->live);
        }
        others.push_back(std::move(other));
    }
    return others;
}

std::vector<HostFunction> managed_once(const std::vector<HostFunction>& functions) {
    std::vector<HostFunction> once;
    std::set<std::string> seen;
    for (const HostFunction& function : functions) {
        if (function.managed && seen.insert(format_function(function.address)).second) {
            once.push_back(function);
        }
    }
    return once;
}

Task<void> release_one(DriverCaller::ConnectionPtr nodedevd, std::string holder, HostFunction one) {
    const std::string at = device_path(node_device_name(one.address));
    const std::string member = "Release";
    co_await driver_call(nodedevd, binding_limit, at, lent_device_interface, member, holder);
}

} // namespace

LockLimits lock_limits(const Sysfs& host) {
    constexpr std::size_t most = 16384;
    constexpr unsigned sys_resource = 24; // CAP_SYS_RESOURCE of linux/capability.h
    LockLimits limits;
    const std::string status = host.bytes("/proc/self/status", most);
    const std::string capabilities = line_after(status, "CapEff:");
    limits.may_raise = (std::strtoull(capabilities.c_str(), nullptr, 16) >> sys_resource & 1) != 0;
    const std::string line = line_after(host.bytes("/proc/self/limits", most), "Max locked memory");
    std::istringstream words(line);
    std::string soft;
    std::string hard;
    words >> soft >> hard;
    limits.hard_bytes = hard == "unlimited" ? no_limit : std::strtoull(hard.c_str(), nullptr, 10);
    return limits;
}

std::optional<std::uint64_t> memlock_bytes(const DomainDef& def, const Sysfs& host) {
    const std::uint64_t needed = locked_memory_limit(def);
    if (needed == 0 || !host.is_host()) { // memory of a host that is made up is not locked
        return std::nullopt;
    }
    const LockLimits limits = lock_limits(host);
    // With a limit of its own a guest needs no more when a device is plugged.
    const bool fixed = def.memtune && def.memtune->hard_limit_kib;
    if (limits.may_raise || (fixed && needed <= limits.hard_bytes)) {
        return needed == unlimited_memory ? no_limit : needed;
    }
    // All that is allowed, so that it needs not be raised when a device is plugged.
    return limits.hard_bytes;
}

void raise_memlock(const DomainDef& def, const Sysfs& host, pid_t process) {
    const std::uint64_t needed = locked_memory_limit(def);
    if (needed == 0 || !host.is_host()) {
        return;
    }
    rlimit now{};
    check_errno(::prlimit(process, RLIMIT_MEMLOCK, nullptr, &now), "ask for QEMU's memlock limit");
    if (now.rlim_cur != no_limit && now.rlim_cur < needed) {
        const rlimit wanted{needed, std::max<rlim_t>(needed, now.rlim_max)};
        check_errno(::prlimit(process, RLIMIT_MEMLOCK, &wanted, nullptr),
                    fmt::format("let process {} lock {} bytes of memory", process, needed));
    }
}

Task<std::vector<Obstacle>> find_obstacles(Driver& driver,
                                           std::shared_ptr<const DomainDef> def,
                                           std::vector<HostFunction> functions,
                                           std::uint32_t id) {
    if (functions.empty()) {
        co_return document_obstacles(*def);
    }
    FactsByAddress facts;
    const auto nodedevd = co_await driver.nodedevd.connect();
    for (const HostFunction& function : host_functions(*def)) {
        const std::string address = format_function(function.address);
        if (facts.contains(address)) {
            continue;
        }
        FunctionFacts& one = facts[address];
        one = read_function(driver.host, address);
        if (one.present && function.nvme()) {
            const std::string at = device_path(name_of_function(address));
            const std::string member = "Settle";
            co_await driver_call(nodedevd, settling_limit, at, lent_device_interface, member);
        }
        if (one.present) {
            co_await ask_nodedevd(nodedevd, driver.host, address, one);
        }
    }
    co_return host_obstacles(
        *def, functions, facts, lock_limits(driver.host), other_guests(driver, id));
}

Task<void> acquire_functions(Driver& driver,
                             std::string uuid,
                             std::vector<HostFunction> functions,
                             std::uint32_t process) {
    const std::vector<HostFunction> wanted = managed_once(functions);
    if (wanted.empty()) {
        co_return;
    }
    const std::string holder = lease_holder(uuid);
    bus::Dict options;
    options.emplace_back("process", process);
    std::vector<std::string> beside;
    for (const HostFunction& one : wanted) {
        beside.push_back(node_device_name(one.address));
    }
    options.emplace_back("beside", std::move(beside));
    const auto nodedevd = co_await driver.nodedevd.connect();
    std::vector<HostFunction> taken;
    std::exception_ptr failure;
    for (const HostFunction& one : wanted) {
        const std::string at = device_path(node_device_name(one.address));
        const std::string member = "Acquire";
        taken.push_back(one);
        bool late = false;
        try {
            co_await driver_call(
                nodedevd, binding_limit, at, lent_device_interface, member, holder, options);
        } catch (Error& e) {
            late = e.code() == ErrorCode::operation_timeout;
            failure = std::make_exception_ptr(Error(e.within(one.element)));
        }
        if (failure && !late) { // one that is late may be taken all the same
            taken.pop_back();
        }
        if (failure) {
            break;
        }
    }
    if (failure) {
        co_await release_functions(driver, uuid, std::move(taken));
        std::rethrow_exception(failure);
    }
}

Task<void>
release_functions(Driver& driver, std::string uuid, std::vector<HostFunction> functions) {
    std::vector<HostFunction> held = managed_once(functions);
    if (held.empty()) {
        co_return;
    }
    std::ranges::reverse(held);
    const std::string holder = lease_holder(uuid);
    try {
        const auto nodedevd = co_await driver.nodedevd.connect();
        for (const HostFunction& one : held) {
            try {
                co_await release_one(nodedevd, holder, one);
            } catch (const Error& e) {
                if (e.code() == ErrorCode::no_node_device) { // nor was it ever taken
                    continue;
                }
                log::error(
                    "{} does not go back to the host: {}", format_function(one.address), e.what());
            }
        }
    } catch (const Error& e) {
        log::error("devices of {} do not go back to the host yet: {}", holder, e.what());
    }
}

std::vector<HostFunction> no_longer_used(const DomainDef& def,
                                         const std::vector<HostFunction>& functions) {
    std::vector<HostFunction> unused;
    const std::vector<HostFunction> used = host_functions(def);
    for (const HostFunction& function : functions) {
        const bool has = std::ranges::any_of(used, [&](const HostFunction& other) {
            return same_place(other.address, function.address);
        });
        if (!has) {
            unused.push_back(function);
        }
    }
    return unused;
}

} // namespace vireo::qemu
