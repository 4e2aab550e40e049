// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/promised.hpp"
#include "libshared/bus/call.hpp"
#include "libshared/bus/tree.hpp"
#include "libshared/bus/vtable.hpp"
#include "tests/support/bus_pair.hpp"
#include "tests/support/captured_errors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

using namespace vireo;
using namespace vireo::bus;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* native = "org.vireo.Thing1";
constexpr const char* libvirt = "org.libvirt.Thing";

class Thing;

struct World {
    Loop loop;
    Scope tasks{loop};
    ObjectTree tree;
    std::map<std::string, std::shared_ptr<Thing>, std::less<>> things;
    Promised<bool> gate{loop};
    bool end_noticed = false;
};

/// Looks at its object when its frame dies.
struct Witness {
    Thing& thing;

    explicit Witness(Thing& t) : thing(t) {}

    Witness(const Witness&) = delete;
    ~Witness();
};

class Thing : public std::enable_shared_from_this<Thing>, Counted {
  public:
    Thing(World& world, std::string path) : world_(world), path_(std::move(path)) {}

    Scope& tasks() { return world_.tasks; }

    std::string echo(const std::string& text) { return text; }

    Task<int> add(int a, int b) {
        co_await Sleep(world_.loop, 1us);
        co_return a + b;
    }

    std::string who(Caller caller, std::uint32_t) {
        return caller.name + (caller.connection == nullptr ? " nowhere" : " here");
    }

    Task<void> wait() {
        const Witness witness(*this);
        co_await world_.gate.value();
    }

    void fail(const std::string& how) {
        if (how == "known") {
            throw Error(ErrorCode::no_domain, "no thing 'x'");
        }
        if (how == "binary") {
            throw Error(ErrorCode::operation_failed, "a\xff\xc3z größe");
        }
        if (how == "odd") {
            throw 7; // NOLINT: what a library may do
        }
        throw std::runtime_error("a bug");
    }

    Task<void> fail_later(std::string how) {
        co_await Sleep(world_.loop, 1us);
        fail(how);
    }

    std::string remove() {
        world_.tree.object_removed(path_);
        world_.things.erase(path_);
        world_.tree.properties_changed(path_, native, std::array{"Name"});
        return "removed " + path_;
    }

    std::string name() const { return path_.substr(path_.rfind('/') + 1); }

    std::uint32_t size() const { return size_; }

    Task<void> set_size(std::uint32_t size) {
        co_await Sleep(world_.loop, 1us);
        if (size > 1000) {
            throw Error(ErrorCode::invalid_arg, "size {} is more than 1000", size);
        }
        size_ = size;
        const char* const changed[] = {"Size"};
        world_.tree.properties_changed(path_, native, changed);
    }

    const std::string& path() const { return path_; }

    World& world() { return world_; }

  private:
    World& world_;
    std::string path_;
    std::uint32_t size_ = 5;
};

Witness::~Witness() {
    thing.world().end_noticed = !thing.path().empty();
}

constexpr sd_bus_vtable vtable[] = {
    bus::start(),
    bus::method<&Thing::echo, "text", "same">("Echo"),
    bus::method<&Thing::add, "a", "b", "sum">("Add"),
    bus::method<&Thing::who, "flags", "caller">("Who"),
    bus::method<&Thing::wait>("Wait"),
    bus::method<&Thing::fail, "how">("Fail"),
    bus::method<&Thing::fail_later, "how">("FailLater"),
    bus::method<&Thing::remove, "text">("Remove"),
    bus::property<&Thing::name>("Name", Changes::never),
    bus::writable<&Thing::size, &Thing::set_size>("Size", Changes::emits),
    bus::signal<"path", "count">::of<ObjectPath, int>("Happened"),
    bus::end(),
};

struct Served : World {
    Served() {
        for (const char* prefix : {"/org/vireo/thing", "/org/libvirt/QEMU/thing"}) {
            const bool is_native = std::string_view(prefix).starts_with("/org/vireo");
            tree.add_collection<Thing>(
                prefix,
                is_native ? native : libvirt,
                vtable,
                [this](std::string_view path) -> std::shared_ptr<Thing> {
                    const auto found = things.find(path);
                    if (found != things.end()) {
                        return found->second;
                    }
                    if (path.ends_with("/none")) {
                        return nullptr;
                    }
                    throw Error(ErrorCode::no_domain, "no thing '{}'", path);
                },
                is_native ? std::function<std::vector<std::string>()>([this] {
                    std::vector<std::string> paths;
                    for (const auto& [path, thing] : things) {
                        if (path.starts_with("/org/vireo")) {
                            paths.push_back(path);
                        }
                    }
                    return paths;
                })
                          : std::function<std::vector<std::string>()>());
        }
        tree.add_object_manager("/org/vireo");
        add("/org/vireo/thing/a");
        add("/org/libvirt/QEMU/thing/a");
        tree.attach(pair.server());
    }

    ~Served() { tasks.close(); }

    void add(const std::string& path) { things[path] = std::make_shared<Thing>(*this, path); }

    template <class... A>
    Answer native_call(const std::string& member, const A&... arguments) {
        return ask(loop, pair.client(), "/org/vireo/thing/a", native, member, arguments...);
    }

    template <class... A>
    Answer libvirt_call(const std::string& member, const A&... arguments) {
        return ask(loop, pair.client(), "/org/libvirt/QEMU/thing/a", libvirt, member, arguments...);
    }

    template <class... A>
    Answer properties(const std::string& path, const std::string& member, const A&... arguments) {
        return ask(
            loop, pair.client(), path, "org.freedesktop.DBus.Properties", member, arguments...);
    }

    BusPair pair{loop};
};

constexpr const char* native_path = "/org/vireo/thing/a";
constexpr const char* libvirt_path = "/org/libvirt/QEMU/thing/a";

} // namespace

TEST_CASE("methods answer, at once or later") {
    Served served;
    CHECK(read<std::string>(served.native_call("Echo", std::string("hi")).reply.get()) == "hi");
    CHECK(read<int>(served.native_call("Add", 2, 3).reply.get()) == 5);
    CHECK(served.native_call("Echo", 5).error == SD_BUS_ERROR_INVALID_ARGS);
    CHECK(served.native_call("Nothing").error == SD_BUS_ERROR_UNKNOWN_METHOD);
}

TEST_CASE("a handler learns who calls, and that is no argument") {
    Served served;
    const Message call =
        new_call(served.pair.client(), "", native_path, native, "Who", std::uint32_t{0});
    check(sd_bus_message_set_sender(call.get(), ":1.42"), "set the sender");
    Asking asking(served.pair.client(), call);
    REQUIRE(run_until(served.loop, [&] { return asking.answer.arrived; }));
    CHECK(read<std::string>(asking.answer.reply.get()) == ":1.42 here");
    CHECK(read<std::string>(served.native_call("Who", std::uint32_t{0}).reply.get()) == " here");
}

TEST_CASE("introspection shows argument names, properties and signals") {
    Served served;
    const Answer answer = ask(served.loop,
                              served.pair.client(),
                              native_path,
                              "org.freedesktop.DBus.Introspectable",
                              "Introspect");
    const auto xml = read<std::string>(answer.reply.get());
    for (const char* part : {"<interface name=\"org.vireo.Thing1\">",
                             "<arg type=\"i\" name=\"a\" direction=\"in\"/>",
                             "<arg type=\"i\" name=\"sum\" direction=\"out\"/>",
                             "<property name=\"Size\" type=\"u\" access=\"readwrite\">",
                             "<arg type=\"o\" name=\"path\"/>"}) {
        CHECK_MESSAGE(xml.find(part) != std::string::npos, part);
    }
}

TEST_CASE("errors have libvirt's name and phrase, or the native interface's own name") {
    Served served;
    for (const char* member : {"Fail", "FailLater"}) {
        const Answer foreign = served.libvirt_call(member, std::string("known"));
        CHECK(foreign.error == "org.libvirt.Error");
        CHECK(foreign.text == "Domain not found: no thing 'x'");
        const Answer own = served.native_call(member, std::string("known"));
        CHECK(own.error == "org.vireo.Error.NoDomain");
        CHECK(own.text == "no thing 'x'");
    }
}

TEST_CASE("a foreign exception is logged and answered as internal error") {
    Served served;
    const CapturedErrors errors;
    for (const char* member : {"Fail", "FailLater"}) {
        CHECK(served.libvirt_call(member, std::string("bug")).text == "internal error: a bug");
        const Answer own = served.native_call(member, std::string("odd"));
        CHECK(own.error == "org.vireo.Error.Internal");
        CHECK(own.text == "unknown exception");
    }
    CHECK(errors.text().find("unexpected failure of a call on org.libvirt.Thing: a bug") !=
          std::string::npos);
    CHECK(read<int>(served.native_call("Add", 1, 1).reply.get()) == 2); // still served
}

TEST_CASE("an error's text that is no UTF-8 reaches the caller all the same") {
    Served served;
    CHECK(served.native_call("Fail", std::string("binary")).text == "a??z größe");
}

TEST_CASE("an object that is not there gives what find says, or UnknownObject") {
    Served served;
    const auto echo = [&](const std::string& path, const char* interface) {
        return ask(served.loop, served.pair.client(), path, interface, "Echo", std::string("x"));
    };
    const Answer missing = echo("/org/vireo/thing/b", native);
    CHECK(missing.error == "org.vireo.Error.NoDomain");
    CHECK(missing.text == "no thing '/org/vireo/thing/b'");
    CHECK(echo("/org/libvirt/QEMU/thing/b", libvirt).text ==
          "Domain not found: no thing '/org/libvirt/QEMU/thing/b'");
    CHECK(echo("/org/vireo/thing/none", native).error == SD_BUS_ERROR_UNKNOWN_OBJECT);
    CHECK(echo("/elsewhere", native).error == SD_BUS_ERROR_UNKNOWN_OBJECT);
    CHECK(echo(native_path, "org.vireo.Other1").error == SD_BUS_ERROR_UNKNOWN_METHOD);
    const Answer all = served.properties("/org/vireo/thing/b", "GetAll", std::string(native));
    CHECK(all.error == "org.vireo.Error.NoDomain");
    const Answer set = served.properties("/org/libvirt/QEMU/thing/b",
                                         "Set",
                                         std::string(libvirt),
                                         std::string("Size"),
                                         Variant(std::uint32_t{1}));
    CHECK(set.text == "Domain not found: no thing '/org/libvirt/QEMU/thing/b'");
}

TEST_CASE("properties are read one by one with one variant on every interface") {
    Served served;
    for (const auto& [path, interface] :
         {std::pair(native_path, native), {libvirt_path, libvirt}}) {
        const Answer get =
            served.properties(path, "Get", std::string(interface), std::string("Size"));
        CHECK(std::string(sd_bus_message_get_signature(get.reply.get(), 1)) == "v");
        CHECK(sd_bus_message_enter_container(get.reply.get(), 'v', "u") > 0);
        CHECK(read<std::uint32_t>(get.reply.get()) == 5);
    }
    CHECK(served.properties(native_path, "Get", std::string(native), std::string("None")).error ==
          SD_BUS_ERROR_UNKNOWN_PROPERTY);
}

TEST_CASE("all properties at once have one more variant on libvirt's interfaces only") {
    Served served;
    const auto contents = [&](const char* path, const char* interface) {
        const Answer all = served.properties(path, "GetAll", std::string(interface));
        sd_bus_message* m = all.reply.get();
        CHECK(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        CHECK(sd_bus_message_enter_container(m, 'e', "sv") > 0);
        CHECK(read<std::string>(m) == "Name");
        const char* type = nullptr;
        CHECK(sd_bus_message_peek_type(m, nullptr, &type) > 0);
        std::string shown = type;
        sd_bus_message_rewind(m, 1);
        const auto dict = read<Dict>(m);
        REQUIRE(dict.size() == 2);
        CHECK(*dict[0].second.get<std::string>() == "a");
        CHECK(*dict[1].second.get<std::uint32_t>() == 5);
        return shown;
    };
    CHECK(contents(native_path, native) == "s");
    CHECK(contents(libvirt_path, libvirt) == "v");
}

TEST_CASE("a property is written, and refused by the standard errors") {
    Served served;
    const auto set = [&](const char* path, const char* interface, const char* name, Variant value) {
        return served.properties(path, "Set", std::string(interface), std::string(name), value);
    };
    CHECK(set(native_path, native, "Size", std::uint32_t{9}).error.empty());
    CHECK(served.things[native_path]->size() == 9);
    run_ready(served.loop);
    REQUIRE(served.pair.signals.size() == 1);
    sd_bus_message* changed = served.pair.signals[0].get();
    CHECK(std::string(sd_bus_message_get_member(changed)) == "PropertiesChanged");
    const auto [interface, values, invalid] =
        read_all<std::string, Dict, std::vector<std::string>>(changed);
    CHECK(interface == native);
    CHECK(values == Dict{{"Size", std::uint32_t{9}}});
    CHECK(invalid.empty());

    CHECK(set(native_path, native, "Size", 9).error == SD_BUS_ERROR_INVALID_ARGS);
    CHECK(set(native_path, native, "Name", "x").error == SD_BUS_ERROR_PROPERTY_READ_ONLY);
    CHECK(set(native_path, native, "None", "x").error == SD_BUS_ERROR_UNKNOWN_PROPERTY);
    CHECK(set(native_path, "org.vireo.Other1", "Size", 1).error == SD_BUS_ERROR_UNKNOWN_PROPERTY);
    CHECK(served.properties(native_path, "Set", std::string(native)).error ==
          SD_BUS_ERROR_INVALID_ARGS);
}

TEST_CASE("what a setter throws is an error of the property's interface") {
    Served served;
    const auto set = [&](const char* path, const char* interface) {
        return served.properties(
            path, "Set", std::string(interface), std::string("Size"), Variant(std::uint32_t{2000}));
    };
    const Answer own = set(native_path, native);
    CHECK(own.error == "org.vireo.Error.InvalidArgument");
    CHECK(own.text == "size 2000 is more than 1000");
    CHECK(set(libvirt_path, libvirt).text == "invalid argument: size 2000 is more than 1000");
}

TEST_CASE("calls that want no reply get none, and are carried out") {
    Served served;
    const Message call =
        new_call(served.pair.client(), "", native_path, native, "Fail", std::string("known"));
    check(sd_bus_message_set_expect_reply(call.get(), 0), "want no reply");
    check(sd_bus_send(served.pair.client(), call.get(), nullptr), "send");
    const Message all = new_call(served.pair.client(),
                                 "",
                                 native_path,
                                 "org.freedesktop.DBus.Properties",
                                 "GetAll",
                                 std::string(native));
    check(sd_bus_message_set_expect_reply(all.get(), 0), "want no reply");
    check(sd_bus_send(served.pair.client(), all.get(), nullptr), "send");
    int replies = 0;
    sd_bus_slot* raw = nullptr;
    check(sd_bus_add_filter(
              served.pair.client(),
              &raw,
              [](sd_bus_message*, void* count, sd_bus_error*) {
                  ++*static_cast<int*>(count);
                  return 0;
              },
              &replies),
          "count");
    const Slot counting(raw);
    CHECK(read<int>(served.native_call("Add", 1, 1).reply.get()) == 2);
    CHECK(replies == 0); // sd-bus gives that of Add to its slot
}

TEST_CASE("an object that removes itself during a call lives until the reply, and no longer") {
    Served served;
    const int before = Counted::live;
    CHECK(read<std::string>(served.native_call("Remove").reply.get()) ==
          "removed /org/vireo/thing/a");
    run_ready(served.loop);
    CHECK(Counted::live == before - 1);
    CHECK(served.native_call("Echo", std::string("x")).error == "org.vireo.Error.NoDomain");
}

TEST_CASE("an object that disappears during a waiting call lives until that ends") {
    Served served;
    const int before = Counted::live;
    Asking waiting(served.pair.client(),
                   new_call(served.pair.client(), "", native_path, native, "Wait"));
    REQUIRE(run_until(served.loop, [&] { return served.tasks.running() == 1; }));
    served.things.erase(native_path);
    run_ready(served.loop);
    CHECK(Counted::live == before);
    served.gate.resolve(true);
    REQUIRE(run_until(served.loop, [&] { return waiting.answer.arrived; }));
    CHECK(waiting.answer.error.empty());
    CHECK(served.end_noticed);
    run_ready(served.loop);
    CHECK(Counted::live == before - 1);
}

TEST_CASE("a cancelled call answers operation_aborted, its frame dying before its object") {
    Served served;
    const int before = Counted::live;
    Asking own(served.pair.client(),
               new_call(served.pair.client(), "", native_path, native, "Wait"));
    REQUIRE(run_until(served.loop, [&] { return served.tasks.running() == 1; }));
    served.things.erase(native_path);
    run_ready(served.loop);
    served.tasks.cancel();
    CHECK(served.end_noticed);
    CHECK(Counted::live == before - 1);
    REQUIRE(run_until(served.loop, [&] { return own.answer.arrived; }));
    CHECK(own.answer.error == "org.vireo.Error.Aborted");
}

TEST_CASE("a call that comes while the daemon stops is answered, too") {
    Served served;
    served.tasks.close();
    CHECK(served.libvirt_call("Wait").text.starts_with("operation aborted: "));
}

TEST_CASE("a client that leaves during a call costs nobody anything") {
    Served served;
    const auto call = new_call(served.pair.client(), "", native_path, native, "Wait");
    check(sd_bus_send(served.pair.client(), call.get(), nullptr), "send");
    REQUIRE(run_until(served.loop, [&] { return served.tasks.running() == 1; }));
    served.pair.drop_client();
    run_ready(served.loop);
    served.gate.resolve(true);
    REQUIRE(run_until(served.loop, [&] { return served.tasks.running() == 0; }));
    served.tree.emit(native_path, native, "Happened", ObjectPath("/"), 1);
    served.tree.detach(served.pair.server());
}

TEST_CASE("signals reach every connection, and none that was detached") {
    Served served;
    BusPair other(served.loop);
    served.tree.attach(other.server());
    BusPair gone(served.loop);
    served.tree.attach(gone.server());
    served.tree.detach(gone.server());
    // What arrives together with the end of the handshake waits in sd-bus for the next message.
    for (const BusPair* pair : {&served.pair, &other, &gone}) {
        ask(served.loop, pair->client(), "/", "org.freedesktop.DBus.Peer", "Ping");
    }
    served.tree.emit(native_path, native, "Happened", ObjectPath("/x"), 3);
    REQUIRE(run_until(
        served.loop, [&] { return served.pair.signals.size() == 1 && other.signals.size() == 1; }));
    run_ready(served.loop);
    CHECK(gone.signals.empty());
    const auto [path, count] = read_all<ObjectPath, int>(other.signals[0].get());
    CHECK(path == "/x");
    CHECK(count == 3);
    served.tree.detach(other.server());
}

TEST_CASE("the object manager lists objects with their values, and tells of comings and goings") {
    Served served;
    const Answer answer = ask(served.loop,
                              served.pair.client(),
                              "/org/vireo",
                              "org.freedesktop.DBus.ObjectManager",
                              "GetManagedObjects");
    using Interfaces = std::map<std::string, Dict>;
    sd_bus_message* m = answer.reply.get();
    REQUIRE(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}") > 0);
    REQUIRE(sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0);
    CHECK(read<ObjectPath>(m) == native_path);
    const auto interfaces = read<Interfaces>(m);
    REQUIRE(interfaces.contains(native));
    CHECK(interfaces.at(native) == Dict{{"Name", "a"}, {"Size", std::uint32_t{5}}});

    served.add("/org/vireo/thing/b");
    served.tree.object_added("/org/vireo/thing/b");
    served.tree.object_removed("/org/vireo/thing/b");
    served.things.erase("/org/vireo/thing/b");
    REQUIRE(run_until(served.loop, [&] { return served.pair.signals.size() == 2; }));
    const auto [added, values] = read_all<ObjectPath, Interfaces>(served.pair.signals[0].get());
    CHECK(added == "/org/vireo/thing/b");
    CHECK(values.at(native) == Dict{{"Name", "b"}, {"Size", std::uint32_t{5}}});
    const auto [removed, names] =
        read_all<ObjectPath, std::vector<std::string>>(served.pair.signals[1].get());
    CHECK(removed == "/org/vireo/thing/b");
    CHECK(std::ranges::find(names, native) != names.end());
}

namespace {

Task<std::string>
echo_through(sd_bus* client, std::string member, std::chrono::microseconds limit) {
    Message call = new_call(client, "", native_path, native, member);
    const Message reply = co_await Call(client, std::move(call), limit);
    co_return read<std::string>(reply.get());
}

ErrorCode failure_of(Loop& loop, Task<std::string> task, std::string& text) {
    try {
        finish(loop, std::move(task));
    } catch (const Error& e) {
        text = e.what();
        return e.code();
    }
    return ErrorCode::internal;
}

} // namespace

TEST_CASE("a call from here gives its reply, the error of it, or the end of its time") {
    Served served;
    sd_bus* client = served.pair.client();
    CHECK(finish(served.loop, echo_through(client, "Remove", 20s)) == "removed /org/vireo/thing/a");
    std::string text;
    CHECK(failure_of(served.loop, echo_through(client, "Remove", 20s), text) ==
          ErrorCode::no_domain);
    CHECK(text == "no thing '/org/vireo/thing/a'");
    served.add(native_path);
    CHECK(failure_of(served.loop, echo_through(client, "Wait", 2ms), text) ==
          ErrorCode::operation_timeout);
}

TEST_CASE("a connection that ends during a call is no time-out") {
    Loop loop;
    BusPair pair(loop);
    Outcome<std::string> outcome;
    Scope scope(loop);
    scope.spawn(observe(echo_through(pair.client(), "Wait", 20s), outcome), "call");
    run_ready(loop);
    sd_bus_close(pair.server());
    REQUIRE(run_until(loop, [&] { return outcome.ended; }));
    try {
        std::rethrow_exception(outcome.failure);
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::operation_failed);
    }
}
