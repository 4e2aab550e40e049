// SPDX-License-Identifier: LGPL-2.1-or-later
// Host memory: huge pages of a made-up host, and what guests were promised, through restarts of
// both daemons.
#include "libshared/files.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/driver_process.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <csignal>

using namespace vireo;
using namespace vireo::test;

namespace {

constexpr uint64_t mib = 1 << 20;

/// Cell, size, requested, current, balloon, locked.
using PromiseRow = std::tuple<int32_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t>;
using Promises = std::vector<PromiseRow>;
using PolicyGuests = std::vector<std::tuple<std::string, uint64_t, uint64_t, uint32_t>>;

const Target host_memory{"org.vireo", "/org/vireo/memory", "org.vireo.HostMemory1"};
const Target direct_memory{"", "/org/vireo/memory", "org.vireo.HostMemory1"};
const Target direct_policy{"", "/org/vireo/memory", "org.vireo.MemoryPolicy1"};
const std::string some_uuid = "d4b5cdcf-4b8b-4f3e-9d0d-0c5a5ef0a1b2";

PromiseRow row(uint64_t size, uint64_t requested, uint64_t current) {
    return {-1, size * mib, requested * mib, current * mib, 0, 0};
}

/// A guest of firmware alone: it follows nothing that it is asked for.
std::string guest_xml(const std::string& name, unsigned size_mib, const std::string& more = {}) {
    return fmt::format("<domain type='qemu'><name>{}</name>"
                       "<maxMemory slots='2' unit='GiB'>2</maxMemory>"
                       "<memory unit='MiB'>{}</memory><vcpu>1</vcpu>"
                       "<os><type arch='x86_64' machine='q35'>hvm</type></os>"
                       "<cpu><numa><cell id='0' cpus='0' memory='128' unit='MiB'/></numa></cpu>"
                       "<devices>{}</devices></domain>",
                       name,
                       size_mib,
                       more);
}

const std::string virtio_mem_xml =
    "<memory model='virtio-mem'><target><size unit='MiB'>256</size><node>0</node>"
    "<block unit='MiB'>2</block><requested>0</requested></target></memory>";

/// Waits until the promises are these, told by signal.
class Ledger {
  public:
    explicit Ledger(Client& client)
        : client_(client),
          changes_(
              client.watch(Target{"org.vireo", host_memory.path, "org.freedesktop.DBus.Properties"},
                           "PropertiesChanged")) {}

    Promises now() { return client_.get<Promises>(host_memory, "Promises"); }

    std::string state() { return client_.get<std::string>(host_memory, "PromisesState"); }

    Promises await(const Promises& wanted) {
        Promises promises = now();
        while (promises != wanted || state() != "known") {
            try {
                changes_.take(event_limit);
            } catch (const std::exception&) {
                return now();
            }
            promises = now();
        }
        return promises;
    }

  private:
    Client& client_;
    Watch changes_;
};

} // namespace

TEST_CASE("promises follow guests from their start to their end") {
    const Instance instance;
    Client client = instance.connect();
    Ledger ledger(client);
    CHECK(ledger.await({}).empty());
    const bus::ObjectPath first = define(client, guest_xml("first", 384, virtio_mem_xml));
    start(client, first);
    CHECK(ledger.await({row(384, 128, 128)}) == Promises{row(384, 128, 128)});
    const bus::ObjectPath second = define(client, guest_xml("second", 128));
    start(client, second);
    CHECK(ledger.await({row(512, 256, 256)}) == Promises{row(512, 256, 256)});

    const Target native{"org.vireo",
                        "/org/vireo/domain/" + first.substr(first.rfind('/') + 1),
                        "org.vireo.Domain1"};
    client.call<std::map<std::string, uint64_t>>(native, "SetMemoryTarget", 192 * mib);
    CHECK(ledger.await({row(512, 320, 256)}) == Promises{row(512, 320, 256)});
    CHECK(client.get<uint64_t>(native, "MemoryTarget") == 192 * mib);
    CHECK(client.get<uint64_t>(native, "MemoryCurrent") == 128 * mib);
    CHECK(client.get<uint64_t>(native, "MemoryMaximum") == 384 * mib);
    CHECK(client.get<uint64_t>(native, "MemoryMinimum") == 0);
    CHECK(client.get<uint64_t>(native, "MemoryStep") == 2 * mib);
    client.call(domain_at(second), "SetMemory", uint64_t{65536}, uint32_t{1});
    CHECK(ledger.await({row(512, 256, 256)}) == Promises{row(512, 256, 256)});

    destroy(client, second);
    CHECK(ledger.await({row(384, 192, 128)}) == Promises{row(384, 192, 128)});
    destroy(client, first);
    CHECK(ledger.await({}).empty());
    CHECK(client.get<uint64_t>(native, "MemoryMaximum") == 0);
    CHECK(client.get<Promises>(native, "MemoryPromises").empty());
}

TEST_CASE("no death of a daemon or a guest makes the promises wrong") {
    const Instance instance;
    Client client = instance.connect();
    Ledger ledger(client);
    const bus::ObjectPath first = define(client, guest_xml("first", 384, virtio_mem_xml));
    const bus::ObjectPath second = define(client, guest_xml("second", 128));
    start(client, first);
    start(client, second);
    const Promises both{row(512, 256, 256)};
    CHECK(ledger.await(both) == both);

    instance.end("vireo-qemud", SIGKILL);
    CHECK(ledger.now() == both); // it is what was told last, and it is true
    CHECK(ledger.await(both) == both);

    instance.end("vireo-storaged", SIGKILL);
    CHECK(ledger.await(both) == both);

    // A guest ends while nobody follows it.
    const pid_t storaged = instance.find("vireo-storaged").value();
    ::kill(storaged, SIGSTOP);
    destroy(client, second);
    instance.end("vireo-qemud", SIGKILL);
    ::kill(storaged, SIGCONT);
    const Promises one{row(384, 128, 128)};
    CHECK(ledger.await(one) == one);

    instance.end("vireo-storaged", SIGKILL);
    instance.end("vireo-qemud", SIGKILL);
    CHECK(ledger.await(one) == one);
    instance.end("qemu-system-x86_64", SIGKILL);
    CHECK(ledger.await({}).empty());
}

TEST_CASE("a qemud without guests leaves though it is followed, and is not started for nothing") {
    HostTree root;
    DriverProcess qemud("qemud", root.root(), {}, {"--idle-timeout", "1"});
    Client of_qemud = qemud.connect();
    CHECK(of_qemud.call<std::vector<bus::ObjectPath>>(
              Target{"", libvirt_connect.path, libvirt_connect.interface},
              "ListDomains",
              uint32_t{0}) == std::vector<bus::ObjectPath>{});
    const DriverProcess storaged("storaged", root.root());
    Client client = storaged.connect();
    Watch changes = client.watch(Target{"", direct_memory.path, "org.freedesktop.DBus.Properties"},
                                 "PropertiesChanged");
    while (client.get<std::string>(direct_memory, "PromisesState") != "known") {
        changes.take(event_limit);
    }
    { const Client gone = std::move(of_qemud); }
    CHECK(qemud.wait().success());
    CHECK(client.get<Promises>(direct_memory, "Promises").empty());
    CHECK(client.get<std::string>(direct_memory, "PromisesState") == "known");
}

TEST_CASE("host memory is one of the native objects") {
    const Instance instance;
    Client client = instance.connect();
    const bus::Message reply = client.send(
        client.new_call(Target{"org.vireo", "/org/vireo", "org.freedesktop.DBus.ObjectManager"},
                        "GetManagedObjects"));
    bool found = false;
    bus::detail::each_element(reply.get(), "{oa{sa{sv}}}", [&] {
        check(sd_bus_message_enter_container(reply.get(), 'e', "oa{sa{sv}}"), "read");
        found |= bus::read<bus::ObjectPath>(reply.get()) == host_memory.path;
        check(sd_bus_message_skip(reply.get(), "a{sa{sv}}"), "read");
        check(sd_bus_message_exit_container(reply.get()), "read");
    });
    CHECK(found);
    const auto cells =
        client.get<std::vector<std::tuple<uint32_t, uint64_t, uint64_t>>>(host_memory, "Cells");
    REQUIRE_FALSE(cells.empty());
    CHECK(std::get<1>(cells[0]) > std::get<2>(cells[0]));
}

TEST_CASE("huge pages are told and allocated, and the answer is what was really got") {
    HostTree host;
    const std::string node = "/sys/devices/system/node/node0";
    host.write(node + "/meminfo", "Node 0 MemTotal: 4000 kB\nNode 0 MemFree: 1000 kB\n");
    for (const std::string& folder :
         {node + "/hugepages", std::string("/sys/kernel/mm/hugepages")}) {
        host.write(folder + "/hugepages-2048kB/nr_hugepages", "8\n");
        host.write(folder + "/hugepages-2048kB/free_hugepages", "3\n");
        host.write(folder + "/hugepages-2048kB/surplus_hugepages", "0\n");
    }
    host.write("/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", "1\n");
    HostTree root;
    const DriverProcess storaged(
        "storaged", root.root(), {"VIREO_HOST_TREE=" + host.root().string()});
    Client client = storaged.connect();
    using Pools = std::vector<std::tuple<uint32_t, uint64_t, uint64_t, uint64_t, uint64_t>>;
    using Reserved = std::vector<std::tuple<uint64_t, uint64_t>>;
    using Change = std::tuple<int64_t, uint64_t>;
    CHECK(client.get<Pools>(direct_memory, "HugePages") == Pools{{0, 2 * mib, 8, 3, 0}});
    CHECK(client.get<Reserved>(direct_memory, "HugePagesReserved") == Reserved{{2 * mib, 1}});
    CHECK(client.get<Promises>(direct_memory, "Promises").empty());
    CHECK(client.get<std::string>(direct_memory, "PromisesState") == "known");
    const auto allocate = [&](int32_t cell, uint64_t pages, const std::string& how) {
        return client.call<Change>(direct_memory, "AllocatePages", cell, 2 * mib, pages, how);
    };
    CHECK(allocate(0, 4, "add") == Change(4, 12));
    CHECK(allocate(0, 2, "set") == Change(-10, 2));
    CHECK(allocate(-1, 100, "set") == Change(92, 100));
    CHECK(error_of(client,
                   direct_memory,
                   "AllocatePages",
                   int32_t{3},
                   2 * mib,
                   uint64_t{1},
                   std::string("add")) ==
          "org.vireo.Error.InvalidArgument: no NUMA cell 3 on this host; it has 0");
    // A kernel that refuses.
    host.remove(node + "/hugepages/hugepages-2048kB/nr_hugepages");
    std::filesystem::create_directory(host.at(node + "/hugepages/hugepages-2048kB/nr_hugepages"));
    CHECK(contains(error_of(client,
                            direct_memory,
                            "AllocatePages",
                            int32_t{0},
                            2 * mib,
                            uint64_t{1},
                            std::string("add")),
                   "Is a directory"));
}

TEST_CASE("what is set of the memory policy lasts, and what cannot be is refused") {
    HostTree host;
    host.write("/proc/meminfo",
               "MemTotal: 8388608 kB\nMemFree: 4194304 kB\nMemAvailable: 4194304 kB\n");
    HostTree root;
    const std::vector<std::string> setting{"VIREO_HOST_TREE=" + host.root().string()};
    std::optional<DriverProcess> storaged;
    std::optional<Client> client;
    const auto restart = [&](int signal) {
        client.reset();
        if (storaged) {
            storaged->end(signal);
        }
        storaged.emplace("storaged", root.root(), setting);
        client.emplace(storaged->connect());
    };
    const auto set = [&](const std::string& property, const bus::Variant& value) {
        return error_of(*client,
                        Target{"", direct_policy.path, "org.freedesktop.DBus.Properties"},
                        "Set",
                        direct_policy.interface,
                        property,
                        value);
    };
    const auto set_guest = [&](const std::string& uuid, uint64_t minimum, uint64_t maximum) {
        return error_of(
            *client, direct_policy, "SetGuest", uuid, minimum, maximum, uint32_t{100}, bus::Dict{});
    };
    restart(0);
    CHECK_FALSE(client->get<bool>(direct_policy, "Enabled"));
    CHECK(client->get<std::string>(direct_policy, "State") == "off");
    CHECK(client->get<uint64_t>(direct_policy, "Reserve") == 512 * mib);
    CHECK(contains(set("Enabled", true), "memory pressure cannot be watched"));
    CHECK_FALSE(client->get<bool>(direct_policy, "Enabled"));

    std::filesystem::create_directories(host.at("/proc/pressure"));
    REQUIRE(::mkfifo(host.at("/proc/pressure/memory").c_str(), 0600) == 0);
    CHECK(set("Reserve", 1024 * mib) == "no error");
    CHECK(set("Interval", uint64_t{2'000'000}) == "no error");
    CHECK(set_guest(some_uuid, 128 * mib, 512 * mib) == "no error");
    CHECK(set("Enabled", true) == "no error");
    CHECK(client->get<std::string>(direct_policy, "State") == "watching");

    CHECK(contains(set("Reserve", 9000 * mib), "leaves nothing of the host's"));
    CHECK(contains(set("Interval", uint64_t{1}), "not between 1 s and 1 h"));
    CHECK(contains(set("Interval", uint64_t{1} << 63), "not between 1 s and 1 h"));
    CHECK(contains(set_guest("first", 1, 2), "'first' is not a UUID"));
    CHECK(contains(set_guest(some_uuid, 3, 2), "less than its minimum"));
    CHECK(contains(error_of(*client,
                            direct_policy,
                            "SetGuest",
                            some_uuid,
                            uint64_t{1},
                            uint64_t{2},
                            uint32_t{100},
                            bus::Dict{{"colour", std::string("red")}}),
                   "option 'colour' of SetGuest is not known"));
    CHECK(contains(error_of(*client,
                            direct_policy,
                            "RemoveGuest",
                            std::string("00000000-0000-0000-0000-000000000000")),
                   "the memory policy has no guest"));

    for (const int signal : {SIGKILL, SIGTERM}) {
        restart(signal);
        CHECK(client->get<bool>(direct_policy, "Enabled"));
        CHECK(client->get<std::string>(direct_policy, "State") == "watching");
        CHECK(client->get<uint64_t>(direct_policy, "Reserve") == 1024 * mib);
        CHECK(client->get<uint64_t>(direct_policy, "Interval") == 2'000'000);
        CHECK(client->get<PolicyGuests>(direct_policy, "Guests") ==
              PolicyGuests{{some_uuid, 128 * mib, 512 * mib, 100}});
    }
    CHECK(std::filesystem::exists(root.at("/lib/storage/memory-policy.on")));

    // A kernel that has lost the file meanwhile.
    host.remove("/proc/pressure/memory");
    restart(SIGKILL);
    CHECK(client->get<bool>(direct_policy, "Enabled"));
    CHECK(client->get<std::string>(direct_policy, "State") == "unavailable");
    CHECK(contains(client->get<std::string>(direct_policy, "StateReason"), "No such file"));
    CHECK(set("Enabled", false) == "no error");
    CHECK(client->get<std::string>(direct_policy, "State") == "off");
    CHECK_FALSE(std::filesystem::exists(root.at("/lib/storage/memory-policy.on")));

    // Settings that nobody can read are not guessed.
    root.write("/lib/storage/memory-policy.json", "{");
    restart(SIGKILL);
    CHECK(client->get<std::string>(direct_policy, "State") == "unavailable");
    CHECK(contains(client->get<std::string>(direct_policy, "StateReason"), "cannot be used"));
    CHECK(client->get<PolicyGuests>(direct_policy, "Guests").empty());
}
