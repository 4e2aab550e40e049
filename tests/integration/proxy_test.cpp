// SPDX-License-Identifier: LGPL-2.1-or-later
// The whole proxy on a message bus, in front of drivers that do what the test asks for.
#include "libshared/async/process.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/files.hpp"
#include "tests/support/client.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

namespace {

constexpr auto limit = 20s;
const Target domain{"org.libvirt", "/org/libvirt/QEMU/domain/_1", "org.libvirt.Domain"};
const Target fake{"", "/org/vireo/Fake", "org.vireo.Fake1"};
const Target bus_itself{"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"};

Target standard(const std::string& path, const std::string& interface) {
    return {"org.libvirt", path, "org.freedesktop.DBus." + interface};
}

/// The real proxy beside fakes of the three drivers.
class FakeDaemons {
  public:
    FakeDaemons() {
        const auto built = build_dir() / "tests/support/fake-driver";
        for (const char* const driver : {"vireo-qemud", "vireo-nodedevd", "vireo-storaged"}) {
            std::filesystem::copy_file(built, path() / driver);
        }
        std::filesystem::copy_file(build_dir() / "daemons/vireo-proxyd", path() / "vireo-proxyd");
    }

    std::filesystem::path path() const { return tree_.root(); }

    /// Gives the proxy an option that its activation file lacks.
    void run_proxy_with(const std::string& option) const {
        std::filesystem::rename(path() / "vireo-proxyd", path() / "proxy");
        tree_file("vireo-proxyd", "#!/bin/sh\nexec \"${0%/*}/proxy\" " + option + " \"$@\"\n");
        std::filesystem::permissions(path() / "vireo-proxyd", std::filesystem::perms::owner_all);
    }

  private:
    void tree_file(const std::string& name, const std::string& text) const {
        std::ofstream(path() / name) << text;
    }

    HostTree tree_;
};

/// A process that ends with the object.
class Started {
  public:
    Started(Loop& loop, ProcessSpec spec) : scope_(loop) {
        scope_.spawn(run(loop, std::move(spec)), "start a driver");
        while (!process_) {
            loop.run_once(100ms);
        }
    }

    Started(const Started&) = delete;
    Started& operator=(const Started&) = delete;

    ~Started() {
        process_->kill(SIGKILL);
        waitpid(process_->pid(), nullptr, 0);
    }

  private:
    Task<void> run(Loop& loop, ProcessSpec spec) {
        auto starting = spawn(loop, std::move(spec));
        process_ = co_await std::move(starting);
    }

    Scope scope_;
    std::optional<vireo::Process> process_;
};

struct Bench {
    FakeDaemons daemons;
    Instance instance{InstanceOptions{.environment = {}, .root = {}, .daemons = daemons.path()}};
    Client client = instance.connect();
};

std::string unique_name(const Client& client) {
    const char* name = nullptr;
    check(sd_bus_get_unique_name(client.get(), &name), "read the name");
    return name;
}

std::string who(Client& client) {
    return client.call<std::string>(libvirt_connect, "GetSysinfo", uint32_t{0});
}

} // namespace

TEST_CASE("a driver knows the caller by its own name on the bus") {
    Bench bench;
    Client other = bench.instance.connect();
    CHECK(who(bench.client) == unique_name(bench.client));
    CHECK(who(other) == unique_name(other));
}

TEST_CASE("errors come as the driver sent them") {
    Bench bench;
    CHECK(error_of(bench.client, libvirt_connect, "DomainLookupByName", "x") ==
          "org.libvirt.Error: Domain not found: no domain with matching name 'x'");
}

TEST_CASE("a driver that hangs keeps nobody else") {
    Bench bench;
    const auto hanging = bench.client.new_call(libvirt_connect, "GetCPUModelNames");
    bus::append(hanging.get(), std::string("x86_64"));
    bus::append(hanging.get(), uint32_t{0});
    check(sd_bus_call_async(
              bench.client.get(),
              nullptr,
              hanging.get(),
              [](sd_bus_message*, void*, sd_bus_error*) { return 0; },
              nullptr,
              UINT64_MAX),
          "call");
    CHECK(bench.client.call<bus::ObjectPath>(libvirt_connect, "NodeDeviceLookupByName", "pci_0") ==
          "/org/libvirt/QEMU/nodedev/pci_0");
    CHECK(who(bench.client) == unique_name(bench.client));
}

TEST_CASE("a driver's signals come from the proxy's name, before the reply they belong to") {
    Bench bench;
    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    auto everything = bench.client.watch({"", "/org/vireo/Fake", "org.vireo.Fake1"}, "Told");
    const auto path =
        bench.client.call<bus::ObjectPath>(libvirt_connect, "DomainDefineXML", "<domain/>");
    const auto [changed, event, detail] = events.next<bus::ObjectPath, int32_t, int32_t>(limit);
    CHECK(changed == path);
    CHECK(event == 0);
    CHECK(detail == 1);
    who(bench.client);
    CHECK_FALSE(everything.pending()); // not in the contract: it stays between the two
}

TEST_CASE("a body of many MiB passes through the bus") {
    Bench bench;
    const std::string xml(std::size_t{24} << 20, 'x');
    CHECK(bench.client.call<bus::ObjectPath>(libvirt_connect, "DomainDefineXML", xml) ==
          "/org/libvirt/QEMU/domain/_25165824");
}

TEST_CASE("introspection wakes no driver") {
    Bench bench;
    const auto text = bench.client.call<std::string>(
        standard("/org/libvirt/QEMU", "Introspectable"), "Introspect");
    CHECK(text.find("<method name=\"ListDomains\">") != std::string::npos);
    CHECK(text.find("<node name=\"domain\"/>") != std::string::npos);
    bench.client.call(standard("/", "Introspectable"), "Introspect");
    bench.client.call(standard("/", "Peer"), "Ping");
    CHECK(error_of(bench.client, standard("/nowhere", "Introspectable"), "Introspect") ==
          "org.freedesktop.DBus.Error.UnknownObject: Unknown object '/nowhere'.");
    CHECK_FALSE(bench.instance.find("vireo-qemud"));
    CHECK_FALSE(bench.instance.find("vireo-nodedevd"));
}

TEST_CASE("gdbus and busctl read the tree and an object") {
    Bench bench;
    const auto tree = bench.instance.run(
        {"busctl", "--user", "--no-pager", "tree", "--list", "org.libvirt"}, limit);
    CHECK(tree.output.find("/org/libvirt/QEMU/storagepool") != std::string::npos);
    const auto shown = bench.instance.run({"gdbus",
                                           "introspect",
                                           "--session",
                                           "--dest=org.vireo",
                                           "--object-path=/org/libvirt/QEMU/domain/_1",
                                           "--xml"},
                                          limit);
    CHECK(shown.status == 0);
    CHECK(shown.output.find("<method name=\"GetState\">") != std::string::npos);
    const auto members = bench.instance.run({"busctl",
                                             "--user",
                                             "--no-pager",
                                             "introspect",
                                             "org.libvirt",
                                             "/org/libvirt/QEMU",
                                             "org.libvirt.Connect"},
                                            limit);
    CHECK(members.status == 0);
    CHECK(members.output.find(".DomainDefineXML") != std::string::npos);
    CHECK(members.output.find(".Hostname") != std::string::npos);
}

TEST_CASE("busctl talks to a driver on its own socket") {
    Bench bench;
    bench.client.call(standard("/", "Introspectable"), "Introspect"); // starts the proxy
    const auto notes = bench.instance.run(
        {"busctl",
         "--address=unix:path=" + (bench.instance.root() / "run/nodedevd.sock").string(),
         "call",
         "org.vireo.Fake",
         fake.path,
         fake.interface,
         "Notes"},
        limit);
    CHECK(notes.output == "u 0\n");
}

TEST_CASE("python3-dbus calls, reads, lists and sees errors") {
    Bench bench;
    if (bench.instance.run({"/usr/bin/python3", "-c", "import dbus"}, limit).status != 0) {
        MESSAGE("skipped: python3-dbus is not installed");
        return;
    }
    const auto result = bench.instance.run({"/usr/bin/python3",
                                            "-c",
                                            R"(
import dbus
bus = dbus.SessionBus()
connect = bus.get_object('org.libvirt', '/org/libvirt/QEMU')
print(connect.GetSysinfo(0, dbus_interface='org.libvirt.Connect') == bus.get_unique_name())
properties = dbus.Interface(connect, 'org.freedesktop.DBus.Properties')
print(properties.Get('org.libvirt.Connect', 'Hostname'))
print(properties.GetAll('org.libvirt.Connect'))
try:
    connect.DomainLookupByName('x', dbus_interface='org.libvirt.Connect')
except dbus.DBusException as e:
    print(e.get_dbus_name(), e.get_dbus_message())
)"},
                                           limit);
    CHECK(result.status == 0);
    CHECK(result.output.starts_with("True\nfake\n"));
    CHECK(result.output.find("org.libvirt.Error Domain not found: no domain with matching name") !=
          std::string::npos);
}

TEST_CASE("properties are read, listed and set, and the standard errors are kept") {
    Bench bench;
    CHECK(bench.client.get<std::string>(libvirt_connect, "Hostname") == "fake");
    const Target properties = standard(domain.path, "Properties");
    const auto set = bench.client.new_call(properties, "Set");
    check(sd_bus_message_append(set.get(), "ssv", "org.libvirt.Domain", "Autostart", "b", 1),
          "fill");
    bench.client.send(set);
    CHECK(bench.client.get<bool>(domain, "Autostart"));
    const auto all = bench.client.new_call(properties, "GetAll");
    bus::append(all.get(), std::string("org.libvirt.Domain"));
    const bus::Message listed = bench.client.send(all);
    const char* name = nullptr;
    int value = 0;
    // libvirt-dbus's extra variant is the driver's, and passes.
    CHECK(sd_bus_message_read(listed.get(), "a{sv}", 1, &name, "v", "b", &value) > 0);
    CHECK(std::string(name) == "Autostart");
    CHECK(value == 1);
    CHECK(error_of(bench.client, properties, "Get", "org.libvirt.Domain", "Nope")
              .starts_with("org.freedesktop.DBus.Error.UnknownProperty: "));
    CHECK(error_of(bench.client, libvirt_connect, "Nope")
              .starts_with("org.freedesktop.DBus.Error.UnknownMethod: "));
    CHECK(error_of(bench.client, libvirt_connect, "NetworkLookupByName", "x") ==
          "org.libvirt.Error: this function is not supported by the connection driver: "
          "NetworkLookupByName");
}

TEST_CASE("a driver that dies in a call costs that call an error") {
    Bench bench;
    CHECK(error_of(bench.client, libvirt_connect, "DomainCreateXML", "x", uint32_t{0}) ==
          "org.libvirt.Error: operation failed: vireo-qemud ended unexpectedly before it answered "
          "the call");
    CHECK(who(bench.client) == unique_name(bench.client));
}

TEST_CASE("a driver that is missing costs its own callers an error") {
    Bench bench;
    std::filesystem::remove(bench.daemons.path() / "vireo-nodedevd");
    const std::string error =
        error_of(bench.client, libvirt_connect, "NodeDeviceLookupByName", "x");
    CHECK(error.starts_with("org.libvirt.Error: operation failed: "));
    CHECK(error.find("vireo-nodedevd could not be started") != std::string::npos);
    CHECK(who(bench.client) == unique_name(bench.client));
}

TEST_CASE("a driver is told when a client that it watches leaves the bus") {
    Bench bench;
    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    {
        Client leaving = bench.instance.connect();
        leaving.call<bus::ObjectPath>(libvirt_connect, "DomainCreateXML", "7", uint32_t{2});
    }
    const auto [path, event, detail] = events.next<bus::ObjectPath, int32_t, int32_t>(limit);
    CHECK(path == "/org/libvirt/QEMU/domain/_7");
    CHECK(event == 5);
    CHECK(detail == 1);
}

TEST_CASE("a client that a driver watches stays watched when the proxy is another one") {
    Bench bench;
    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    {
        Client leaving = bench.instance.connect();
        leaving.call<bus::ObjectPath>(libvirt_connect, "DomainCreateXML", "7", uint32_t{2});
        bench.instance.end("vireo-proxyd", SIGKILL);
        who(bench.client); // by the new one
        who(bench.client);
        CHECK_FALSE(events.pending());
    }
    const auto [path, event, detail] = events.next<bus::ObjectPath, int32_t, int32_t>(limit);
    CHECK(event == 5);
}

TEST_CASE("a client that left while no proxy ran has left for the driver, too") {
    Bench bench;
    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    {
        Client leaving = bench.instance.connect();
        leaving.call<bus::ObjectPath>(libvirt_connect, "DomainCreateXML", "7", uint32_t{2});
        bench.instance.end("vireo-proxyd", SIGKILL);
    }
    who(bench.client);
    const auto [path, event, detail] = events.next<bus::ObjectPath, int32_t, int32_t>(limit);
    CHECK(event == 5);
}

TEST_CASE("a driver that crashes is there again without a call") {
    Bench bench;
    who(bench.client);
    bench.instance.end("vireo-qemud", SIGKILL);
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!bench.instance.find("vireo-qemud")) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        bench.client.call(standard("/", "Peer"), "Ping");
    }
}

TEST_CASE("a client on a driver's own socket starts it, too") {
    Bench bench;
    bench.client.call(standard("/", "Introspectable"), "Introspect"); // starts the proxy
    Client direct = bench.instance.connect_driver("nodedevd");
    CHECK(direct.call<uint32_t>(fake, "Notes") == 0);
    CHECK(bench.instance.find("vireo-nodedevd"));
    CHECK_FALSE(bench.instance.find("vireo-qemud"));
}

TEST_CASE("after the proxy was killed its successor finds the driver that runs") {
    Bench bench;
    const auto before = bench.client.call<std::string>(libvirt_connect, "GetCapabilities");
    bench.instance.end("vireo-proxyd", SIGKILL);
    CHECK(bench.client.call<std::string>(libvirt_connect, "GetCapabilities") == before);
    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    bench.client.call<bus::ObjectPath>(libvirt_connect, "DomainDefineXML", "<domain/>");
    events.next<bus::ObjectPath, int32_t, int32_t>(limit);
}

TEST_CASE("signals flow after a restart of the proxy without a call to the driver") {
    Bench bench;
    who(bench.client); // starts proxy and driver
    bench.instance.end("vireo-proxyd", SIGKILL);
    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    bench.client.call(standard("/", "Introspectable"), "Introspect"); // the new proxy runs
    // Its connection was made before it answered, and the driver accepts in order: once a later
    // connection is answered, the proxy's is there.
    Client direct = bench.instance.connect_driver("qemud");
    direct.call<bus::ObjectPath>(
        Target{"", "/org/libvirt/QEMU", "org.libvirt.Connect"}, "DomainDefineXML", "<domain/>");
    events.next<bus::ObjectPath, int32_t, int32_t>(limit);
}

TEST_CASE(
    "a driver's socket that systemd listens on is left alone, and the driver heard once it runs") {
    Bench bench;
    const std::string runtime = bench.instance.root() / "run";
    make_folders(runtime);
    const Fd socket = listen_unix(runtime + "/qemud.sock");
    bench.client.call(standard("/", "Introspectable"), "Introspect"); // starts the proxy
    const Fd early(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK_FALSE(early); // nobody has connected, which would have started the driver

    auto events = bench.client.watch(libvirt_connect, "DomainEvent");
    Loop loop;
    ProcessSpec spec;
    spec.program = bench.daemons.path() / "vireo-qemud";
    spec.arguments = {"--root", bench.instance.root()};
    spec.environment = {"LISTEN_FDS=1", "LISTEN_FDNAMES=qemud.sock"};
    spec.listen_pid = true;
    spec.descriptors = {{.fd = socket.get(), .number = 3}};
    Started driver(loop, std::move(spec));
    Client direct = bench.instance.connect_driver("qemud");
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!events.pending()) { // the proxy connects when it hears of the driver
        REQUIRE(std::chrono::steady_clock::now() < end);
        direct.call<bus::ObjectPath>(
            Target{"", "/org/libvirt/QEMU", "org.libvirt.Connect"}, "DomainDefineXML", "<domain/>");
    }
}

TEST_CASE("the proxy goes on with one name where the other belongs to somebody else") {
    Bench bench;
    check(sd_bus_request_name(bench.client.get(), "org.libvirt", 0), "take the name");
    Client caller = bench.instance.connect();
    const Target native{"org.vireo", "/org/libvirt/QEMU", "org.libvirt.Connect"};
    CHECK(caller.call<std::string>(native, "GetSysinfo", uint32_t{0}) == unique_name(caller));
    CHECK(bench.instance.log().find("the bus name org.libvirt belongs to another program") !=
          std::string::npos);
}

TEST_CASE("leaving when idle loses no call") {
    Bench bench;
    bench.daemons.run_proxy_with("--idle-timeout 1");
    auto owners = bench.client.watch(bus_itself, "NameOwnerChanged");
    for (int round = 0; round < 2; ++round) {
        {
            Client passing = bench.instance.connect();
            CHECK(who(passing) == unique_name(passing));
        }
        // The instant in which the name is given back is the worst one to call.
        owners.next_where<std::string, std::string, std::string>(
            [](const auto& change) {
                return std::get<0>(change) == "org.libvirt" && std::get<2>(change).empty();
            },
            limit);
        for (int i = 0; i < 20; ++i) {
            Client passing = bench.instance.connect();
            CHECK(who(passing) == unique_name(passing));
        }
    }
}
