// SPDX-License-Identifier: LGPL-2.1-or-later
// What a client reads of a domain and does to its guest, on real QEMU.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

using Keys = std::vector<std::uint32_t>;

constexpr std::int32_t description = 0;
constexpr std::int32_t title = 1;
constexpr std::int32_t element = 2;
constexpr std::uint32_t live = 1;
constexpr std::uint32_t config = 2;

/// A guest whose QEMU writes each key and each command into the guest's log.
std::string traced_guest(const std::string& name) {
    std::string xml = small_guest(name);
    xml.replace(xml.find("<domain "),
                std::string("<domain ").size(),
                "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' ");
    xml.insert(xml.find("</domain>"),
               "<qemu:commandline><qemu:arg value='-trace'/><qemu:arg value='input_event_key_*'/>"
               "<qemu:arg value='-trace'/><qemu:arg value='qmp_enter_inject_*'/>"
               "</qemu:commandline>");
    return xml;
}

std::string log_of(const Instance& instance, const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(instance.root() / "log/qemu" / (name + ".log")).rdbuf();
    return text.str();
}

std::string metadata(Client& client,
                     const ObjectPath& path,
                     std::int32_t type,
                     std::uint32_t flags,
                     const std::string& uri = {}) {
    return client.call<std::string>(domain_at(path), "GetMetadata", type, uri, flags);
}

void set_metadata(Client& client,
                  const ObjectPath& path,
                  std::int32_t type,
                  const std::string& text,
                  std::uint32_t flags,
                  const std::string& key = {},
                  const std::string& uri = {}) {
    client.call(domain_at(path), "SetMetadata", type, text, key, uri, flags);
}

} // namespace

TEST_CASE("keys and the NMI reach QEMU") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, traced_guest("web"));
    const Target domain = domain_at(path);
    const auto send = [&](std::uint32_t set, const Keys& keys, std::uint32_t flags = 0) {
        client.call(domain, "SendKey", set, std::uint32_t{50}, keys, flags);
    };
    CHECK(message_of([&] { send(0, {30}); }) ==
          "Requested operation is not valid: domain is not running");
    CHECK(message_of([&] { client.call(domain, "InjectNMI", std::uint32_t{0}); }) ==
          "Requested operation is not valid: domain is not running");
    start(client, path);

    send(0, {30}); // KEY_A of Linux, pressed when the call returns
    CHECK_MESSAGE(contains(log_of(instance, "web"), "key qcode a, down 1"),
                  log_of(instance, "web"));
    CHECK(message_of([&] { send(0, {}); }).starts_with("invalid argument: "));
    CHECK(message_of([&] { send(99, {30}); }).starts_with("invalid argument: "));
    CHECK(message_of([&] { send(0, {30}, 1); }).starts_with("invalid argument: "));
    CHECK(message_of([&] { send(0, Keys(17, 30)); }).starts_with("invalid argument: "));

    CHECK_FALSE(contains(log_of(instance, "web"), "qmp_enter_inject_nmi"));
    client.call(domain, "InjectNMI", std::uint32_t{0});
    CHECK(contains(log_of(instance, "web"), "qmp_enter_inject_nmi"));
    CHECK(state_of(client, path) == StatePair(1, 1));
}

TEST_CASE("a domain without a job says so") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    using U = std::uint64_t;
    using JobInfo = std::tuple<std::int32_t, U, U, U, U, U, U, U, U, U, U, U>;
    CHECK(message_of([&] { client.call<JobInfo>(domain_at(path), "GetJobInfo"); }) ==
          "Requested operation is not valid: domain is not running");
    start(client, path, 1);
    CHECK(client.call<JobInfo>(domain_at(path), "GetJobInfo") == JobInfo());
}

TEST_CASE("metadata of the guest and of its definition are two things") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    Watch changes = client.watch(domain_at(path), "MetadataChange");
    const auto next_change = [&] { return changes.next<std::int32_t, std::string>(event_limit); };

    CHECK(
        message_of([&] { metadata(client, path, title, 0); }).starts_with("metadata not found: "));
    set_metadata(client, path, title, "Front", 0);
    CHECK(next_change() == std::tuple(title, ""));
    CHECK(metadata(client, path, title, 0) == "Front");
    CHECK(message_of([&] { set_metadata(client, path, title, "x", live); }) ==
          "Requested operation is not valid: domain is not running");

    start(client, path, 1);
    CHECK(metadata(client, path, title, live) == "Front");
    set_metadata(client, path, title, "Now", live);
    set_metadata(client, path, description, "Later", config);
    CHECK(metadata(client, path, title, 0) == "Now");
    CHECK(metadata(client, path, title, config) == "Front");
    CHECK(metadata(client, path, description, config) == "Later");
    CHECK(message_of([&] {
              metadata(client, path, description, live);
          }).starts_with("metadata not found: "));
    CHECK(message_of([&] {
              metadata(client, path, title, live | config);
          }).starts_with("invalid argument: "));
    const std::string uri = "https://example.org/app/1";
    set_metadata(
        client, path, element, "<note level='2'>a &amp; b</note>", live | config, "app", uri);
    CHECK(contains(xml_of(client, path), "<app:note"));
    CHECK(contains(xml_of(client, path, 2), "<app:note"));
    CHECK(metadata(client, path, element, live, uri) == "<note level=\"2\">a &amp; b</note>");

    instance.end("vireo-qemud", SIGKILL);
    CHECK(metadata(client, path, title, live) == "Now");
    CHECK(metadata(client, path, element, live, uri) == "<note level=\"2\">a &amp; b</note>");
    destroy(client, path);
    CHECK(metadata(client, path, title, 0) == "Front");
    CHECK(metadata(client, path, element, 0, uri) == "<note level=\"2\">a &amp; b</note>");
    set_metadata(client, path, element, "", 0, "app", uri);
    CHECK_FALSE(contains(xml_of(client, path), "<app:note"));
}

TEST_CASE("a transient domain has no metadata of a definition") {
    const Instance instance;
    Client client = instance.connect();
    const auto path = client.call<ObjectPath>(
        libvirt_connect, "DomainCreateXML", small_guest("web"), std::uint32_t{1});
    CHECK(message_of([&] {
              set_metadata(client, path, title, "x", config);
          }).starts_with("Requested operation is not valid: transient"));
    set_metadata(client, path, title, "x", 0);
    CHECK(metadata(client, path, title, 0) == "x");
}

TEST_CASE("all properties of a domain, stopped and running") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    const auto all = [&] {
        const bus::Message call =
            client.new_call(libvirt_object(path, "org.freedesktop.DBus.Properties"), "GetAll");
        bus::append(call.get(), std::string("org.libvirt.Domain"));
        const bus::Message reply = client.send(call);
        return read_double_variants(reply.get());
    };
    Values values = all();
    CHECK(values.size() == 9);
    CHECK(values.at("Active") == bus::Variant(false));
    CHECK(values.at("Autostart") == bus::Variant(false));
    CHECK(values.at("Id") == bus::Variant(std::uint32_t{0xffffffff}));
    CHECK(values.at("Name") == bus::Variant(std::string("web")));
    CHECK(values.at("OSType") == bus::Variant(std::string("hvm")));
    CHECK(values.at("Persistent") == bus::Variant(true));
    CHECK(values.at("Updated") == bus::Variant(false));
    CHECK(values.at("SchedulerType") == bus::Variant(std::string("(si)")));
    CHECK(contains(xml_of(client, path), *values.at("UUID").get<std::string>()));
    using Scheduler = std::tuple<std::string, std::int32_t>;
    CHECK(client.get<Scheduler>(domain_at(path), "SchedulerType") == Scheduler("posix", 0));

    start(client, path, 1);
    set_metadata(client, path, title, "T", config);
    define(client, xml_of(client, path, 2)); // defined again while it runs
    values = all();
    CHECK(values.at("Active") == bus::Variant(true));
    CHECK(values.at("Id") == bus::Variant(std::uint32_t{1}));
    CHECK(values.at("Updated") == bus::Variant(true));

    const bus::Message set =
        client.new_call(libvirt_object(path, "org.freedesktop.DBus.Properties"), "Set");
    bus::append(set.get(), std::string("org.libvirt.Domain"));
    bus::append(set.get(), std::string("Autostart"));
    bus::append(set.get(), bus::Variant(true));
    client.send(set);
    CHECK(client.get<bool>(domain_at(path), "Autostart"));
    destroy(client, path);
    CHECK(client.get<bool>(domain_at(path), "Autostart"));
    CHECK_FALSE(client.get<bool>(domain_at(path), "Updated"));
}
