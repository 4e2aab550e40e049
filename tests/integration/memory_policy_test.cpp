// SPDX-License-Identifier: LGPL-2.1-or-later
// The memory policy with three real Linux guests. The host's own numbers are made up, so that the
// test says when it is under pressure.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_console.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <optional>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

constexpr uint64_t mib = 1 << 20;
constexpr uint64_t boot_mib = 192;
constexpr uint64_t elastic_mib = 512;
constexpr auto boot_limit = 600s; // three at once
constexpr auto guest_limit = 240s;
constexpr auto decision_limit = 120s;

const Target policy{"org.vireo", "/org/vireo/memory", "org.vireo.MemoryPolicy1"};
const Target policy_properties{"org.vireo", "/org/vireo/memory", "org.freedesktop.DBus.Properties"};

/// The numbers of a host with 8 GiB, of which 1 GiB is the reserve.
class MadeUpHost {
  public:
    MadeUpHost() {
        has_available(4096);
        std::filesystem::create_directories(tree_.at("/proc/pressure"));
        REQUIRE(::mkfifo(tree_.at("/proc/pressure/memory").c_str(), 0600) == 0);
    }

    std::string setting() const { return "VIREO_HOST_TREE=" + tree_.root().string(); }

    /// As a whole: the daemon may read it at any time.
    void has_available(uint64_t available_mib) {
        tree_.write("/proc/meminfo.new",
                    fmt::format("MemTotal: 8388608 kB\nMemFree: {0} kB\nMemAvailable: {0} kB\n",
                                available_mib * 1024));
        std::filesystem::rename(tree_.at("/proc/meminfo.new"), tree_.at("/proc/meminfo"));
    }

    void stalls() const { std::ofstream(tree_.at("/proc/pressure/memory")) << "stalled\n"; }

  private:
    HostTree tree_;
};

class PolicyGuest {
  public:
    PolicyGuest(const Instance& instance, Client& client, const std::string& name)
        : client_(client),
          serial_((instance.root() / name).string()),
          path_(define(client, document(name))),
          native_{"org.vireo",
                  "/org/vireo/domain/" + path_.substr(path_.rfind('/') + 1),
                  "org.vireo.Domain1"},
          uuid_(client.get<std::string>(native_, "UUID")) {
        client.call(domain_at(path_), "Create", uint32_t{0});
        console_.emplace(serial_);
    }

    const std::string& uuid() const { return uuid_; }

    const Target& native() const { return native_; }

    std::string run(const std::string& command) { return console_->run(command, guest_limit); }

    void await_boot() { console_->await("Hello from your guest", boot_limit); }

    uint64_t current() { return client_.get<uint64_t>(native_, "MemoryCurrent"); }

    /// A line of the guest's own /proc/meminfo, in MiB.
    uint64_t meminfo(const std::string& key) {
        return std::stoull(run(fmt::format("sed -n 's/^{}: *//p' /proc/meminfo", key))) / 1024;
    }

    /// The guest brings blocks online a little after QEMU's event.
    uint64_t await_total_above(uint64_t before_mib) {
        const auto deadline = std::chrono::steady_clock::now() + guest_limit;
        uint64_t now = meminfo("MemTotal");
        while (now <= before_mib && std::chrono::steady_clock::now() < deadline) {
            now = meminfo("MemTotal");
        }
        return now;
    }

    /// Takes memory of the guest and keeps it, but for `left_mib`.
    void use_all_but(uint64_t left_mib) {
        const uint64_t available = meminfo("MemAvailable");
        REQUIRE(available > left_mib);
        run(fmt::format("mkdir -p /m && mount -t tmpfs -o size=1000m none /m && "
                        "dd if=/dev/zero of=/m/used bs=1M count={} 2>/dev/null",
                        available - left_mib));
    }

    void set_target(uint64_t target_mib) {
        client_.call<std::map<std::string, uint64_t>>(native_, "SetMemoryTarget", target_mib * mib);
    }

    /// Waits until what the guest has is `wanted`.
    template <class F>
    uint64_t await_current(F wanted) {
        Watch changes =
            client_.watch(Target{"org.vireo", native_.path, "org.freedesktop.DBus.Properties"},
                          "PropertiesChanged");
        const auto deadline = std::chrono::steady_clock::now() + guest_limit;
        uint64_t now = current();
        while (!wanted(now) && std::chrono::steady_clock::now() < deadline) {
            changes.take(guest_limit);
            now = current();
        }
        return now;
    }

  private:
    std::string document(const std::string& name) const {
        const GuestFiles files = guest_files();
        return fmt::format(
            "<domain type='qemu'><name>{}</name><maxMemory slots='4' unit='GiB'>2</maxMemory>"
            "<memory unit='MiB'>{}</memory><vcpu>1</vcpu>"
            "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>{}</kernel>"
            "<initrd>{}</initrd><cmdline>console=ttyS0 quiet memhp_default_state=online_movable"
            "</cmdline></os><features><acpi/></features>"
            "<cpu><numa><cell id='0' cpus='0' memory='{}' unit='MiB'/></numa></cpu><devices>"
            "<memory model='virtio-mem'><target><size unit='MiB'>{}</size><node>0</node>"
            "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
            "<serial type='unix'><source mode='bind' path='{}'/></serial></devices></domain>",
            name,
            boot_mib + elastic_mib,
            files.kernel,
            files.initrd,
            boot_mib,
            elastic_mib,
            serial_);
    }

    Client& client_;
    std::string serial_;
    bus::ObjectPath path_;
    Target native_;
    std::string uuid_;
    std::optional<GuestConsole> console_;
};

struct Decided {
    std::string uuid;
    uint64_t from;
    uint64_t to;
    std::string reason;
};

/// Takes decisions until one is about that guest and goes in that direction.
Decided await_decision(Watch& decisions, const std::string& uuid, bool grows) {
    const auto wanted = [&](const auto& arguments) {
        return std::get<0>(arguments) == uuid &&
               (std::get<2>(arguments) > std::get<1>(arguments)) == grows;
    };
    const auto [guest, from, to, reason] =
        decisions.next_where<std::string, uint64_t, uint64_t, std::string>(wanted, decision_limit);
    return {guest, from, to, reason};
}

void set_property(Client& client, const char* name, bus::Variant value) {
    client.call(policy_properties, "Set", policy.interface, name, value);
}

std::string condition_of(Client& client, const std::string& uuid) {
    return client.get<std::map<std::string, std::string>>(policy, "Conditions")[uuid];
}

} // namespace

TEST_CASE("three guests: one grows, one gives way, one that does not follow is left alone") {
    MadeUpHost host;
    const Instance instance({.environment = {host.setting()}});
    Client client = instance.connect();
    PolicyGuest needy(instance, client, "needy");
    PolicyGuest idle(instance, client, "idle");
    PolicyGuest stubborn(instance, client, "stubborn");
    for (PolicyGuest* guest : {&needy, &idle, &stubborn}) {
        guest->await_boot();
    }
    // One has more than it uses, and one has no driver for more.
    idle.set_target(boot_mib + 256);
    CHECK(idle.await_current([](uint64_t now) { return now == (boot_mib + 256) * mib; }) ==
          (boot_mib + 256) * mib);
    stubborn.run("rmmod virtio_mem");
    Watch decisions = client.watch(policy, "Decided");
    Watch marks = client.watch(policy, "Marked");
    for (PolicyGuest* guest : {&needy, &idle, &stubborn}) {
        client.call(policy,
                    "SetGuest",
                    guest->uuid(),
                    boot_mib * mib,
                    (boot_mib + elastic_mib) * mib,
                    uint32_t{100},
                    bus::Dict{});
    }
    set_property(client, "Reserve", 1024 * mib);
    set_property(client, "Interval", uint64_t{2'000'000});
    set_property(client, "Enabled", true);
    CHECK(client.get<std::string>(policy, "State") == "watching");

    // A guest that runs short is given more, and gets it.
    const uint64_t total_before = needy.meminfo("MemTotal");
    needy.use_all_but(12);
    const Decided grown = await_decision(decisions, needy.uuid(), true);
    CHECK(grown.from == boot_mib * mib);
    CHECK(grown.to > grown.from);
    CHECK(grown.to <= grown.from + 48 * mib);
    CHECK(contains(grown.reason, "it is short: "));
    CHECK(needy.await_current([&](uint64_t now) { return now >= grown.to; }) >= grown.to);
    CHECK(needy.await_total_above(total_before) > total_before);

    // The other one that runs short takes nothing: it is marked, and what was offered taken back.
    stubborn.use_all_but(12);
    const Decided offered = await_decision(decisions, stubborn.uuid(), true);
    const auto of_stubborn = [&](const auto& arguments) {
        return std::get<0>(arguments) == stubborn.uuid() && std::get<1>(arguments);
    };
    const auto mark = marks.next_where<std::string, bool, std::string>(of_stubborn, decision_limit);
    CHECK(contains(std::get<2>(mark), "it takes nothing"));
    const Decided taken_back = await_decision(decisions, stubborn.uuid(), false);
    CHECK(taken_back.to == boot_mib * mib);
    CHECK(taken_back.from == offered.to);
    CHECK(stubborn.await_current([](uint64_t) { return true; }) == boot_mib * mib);

    // The host runs out: who has memory to spare gives it, and keeps what it uses.
    host.has_available(512);
    host.stalls();
    const Decided shrunk = await_decision(decisions, idle.uuid(), false);
    CHECK(contains(shrunk.reason, "the host has 512 MiB available, its reserve is 1024"));
    CHECK(shrunk.to >= boot_mib * mib);
    CHECK(idle.await_current([&](uint64_t now) { return now <= shrunk.to; }) <= shrunk.to);
    CHECK(idle.run("echo well") == "well");
    CHECK(needy.run("echo well") == "well"); // it may give a little, and not what it uses

    // Killed, the daemon goes on, and leaves alone what is well again.
    host.has_available(4096);
    instance.end("vireo-storaged", SIGKILL);
    CHECK(client.get<std::string>(policy, "State") == "watching");
    CHECK(client
              .get<std::vector<std::tuple<std::string, uint64_t, uint64_t, uint32_t>>>(policy,
                                                                                       "Guests")
              .size() == 3);
    idle.set_target(boot_mib + 256);
    CHECK(idle.await_current([](uint64_t now) { return now == (boot_mib + 256) * mib; }) ==
          (boot_mib + 256) * mib);
    Watch later = client.watch(policy, "Decided");
    host.has_available(512);
    host.stalls();
    CHECK(await_decision(later, idle.uuid(), false).from == (boot_mib + 256) * mib);
    CHECK(condition_of(client, idle.uuid()) != "silent");
    // It still knows whom to leave alone, though that one is short as before.
    CHECK(condition_of(client, stubborn.uuid()) == "refusing");
    set_property(client, "Enabled", false);
    CHECK(client.get<std::string>(policy, "State") == "off");
}
