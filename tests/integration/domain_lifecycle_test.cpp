// SPDX-License-Identifier: LGPL-2.1-or-later
// Domains with real QEMU processes, through the proxy on a private bus.
#include "libshared/error.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <functional>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

using Lifecycle = std::tuple<ObjectPath, std::int32_t, std::int32_t>;

} // namespace

TEST_CASE("a domain is defined, looked up, listed and undefined") {
    const Instance instance;
    Client client = instance.connect();
    CHECK(list_domains(client).empty());
    Watch events = client.watch(libvirt_connect, "DomainEvent");

    const ObjectPath path = define(client, small_guest("web"));
    CHECK(next_event(events) == LifecycleDetail(0, 0));
    CHECK(list_domains(client) == std::vector{path});
    CHECK(list_domains(client, 1).empty());                  // active
    CHECK(list_domains(client, 2 | 4) == std::vector{path}); // inactive, persistent
    CHECK(client.call<ObjectPath>(libvirt_connect, "DomainLookupByName", "web") == path);
    const auto uuid = client.get<std::string>(domain_at(path), "UUID");
    CHECK(client.call<ObjectPath>(libvirt_connect, "DomainLookupByUUID", uuid) == path);
    CHECK(state_of(client, path) == StatePair(5, 0));

    const auto xml = client.call<std::string>(domain_at(path), "GetXMLDesc", std::uint32_t{0});
    CHECK(xml.find("<name>web</name>") != std::string::npos);
    CHECK(xml.find(uuid) != std::string::npos);
    CHECK(define(client, xml) == path); // what is shown can be defined again
    CHECK(next_event(events) == LifecycleDetail(0, 1));

    client.call(domain_at(path), "Undefine", std::uint32_t{0});
    CHECK(next_event(events) == LifecycleDetail(1, 0));
    CHECK(list_domains(client).empty());
    CHECK(message_of([&] {
              state_of(client, path);
          }).starts_with("Domain not found: no domain with matching uuid"));
}

TEST_CASE("a domain that is not there is refused in libvirt's words") {
    const Instance instance;
    Client client = instance.connect();
    CHECK(message_of([&] {
              client.call<ObjectPath>(libvirt_connect, "DomainLookupByName", "x");
          }) == "Domain not found: no domain with matching name 'x'");
    CHECK(message_of([&] {
              client.call<ObjectPath>(libvirt_connect, "DomainLookupByID", std::int32_t{7});
          }) == "Domain not found: no domain with matching id 7");
    CHECK(message_of([&] { list_domains(client, 1U << 20); }).starts_with("invalid argument: "));
}

TEST_CASE("a guest starts, pauses, resumes, resets and is destroyed") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    Watch reboots = client.watch(domain_at(path), "Reboot");

    client.call(domain_at(path), "Create", std::uint32_t{0});
    CHECK(next_event(events) == LifecycleDetail(4, 0)); // as libvirt: the vCPUs run ...
    CHECK(next_event(events) == LifecycleDetail(2, 0)); // ... and the start is complete
    CHECK(state_of(client, path) == StatePair(1, 1));
    CHECK(client.get<bool>(domain_at(path), "Active"));
    const auto id = client.get<std::uint32_t>(domain_at(path), "Id");
    CHECK(client.call<ObjectPath>(
              libvirt_connect, "DomainLookupByID", static_cast<std::int32_t>(id)) == path);
    CHECK(message_of([&] { client.call(domain_at(path), "Create", std::uint32_t{0}); }) ==
          "Requested operation is not valid: domain is already running");
    const auto xml = client.call<std::string>(domain_at(path), "GetXMLDesc", std::uint32_t{0});
    CHECK(xml.find("<alias name='serial0'/>") != std::string::npos);
    CHECK(xml.find("/dev/pts/") != std::string::npos);

    client.call(domain_at(path), "Suspend");
    CHECK(next_event(events) == LifecycleDetail(3, 0));
    CHECK(state_of(client, path) == StatePair(3, 1));
    client.call(domain_at(path), "Resume");
    CHECK(next_event(events) == LifecycleDetail(4, 0));
    CHECK(state_of(client, path) == StatePair(1, 5));
    client.call(domain_at(path), "Reset", std::uint32_t{0});
    reboots.take(event_limit);

    client.call(domain_at(path), "Destroy", std::uint32_t{0});
    CHECK(next_event(events) == LifecycleDetail(5, 1));
    CHECK(state_of(client, path) == StatePair(5, 2));
    CHECK_FALSE(instance.find("qemu-system-x86_64").has_value());
    CHECK(message_of([&] { client.call(domain_at(path), "Destroy", std::uint32_t{0}); }) ==
          "Requested operation is not valid: domain is not running");
}

TEST_CASE("a guest started paused stays so until it is resumed") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    client.call(domain_at(path), "Create", std::uint32_t{1});
    CHECK(next_event(events) == LifecycleDetail(2, 0));
    CHECK(next_event(events) == LifecycleDetail(3, 0));
    CHECK(state_of(client, path) == StatePair(3, 1));
    client.call(domain_at(path), "Resume");
    CHECK(next_event(events) == LifecycleDetail(4, 0));
}

TEST_CASE("a transient guest is gone when it ends") {
    const Instance instance;
    Client client = instance.connect();
    const auto path = client.call<ObjectPath>(
        libvirt_connect, "DomainCreateXML", small_guest("web"), std::uint32_t{1});
    CHECK_FALSE(client.get<bool>(domain_at(path), "Persistent"));
    CHECK(message_of([&] {
              client.call(domain_at(path), "Undefine", std::uint32_t{0});
          }).starts_with("Requested operation is not valid"));
    client.call(domain_at(path), "Destroy", std::uint32_t{0});
    CHECK(list_domains(client).empty());
}

TEST_CASE("a guest started with AUTODESTROY ends with its client") {
    const Instance instance;
    Client client = instance.connect();
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    const ObjectPath path = define(client, small_guest("web"));
    {
        Client owner = instance.connect();
        owner.call(domain_at(path), "Create", std::uint32_t{1 | 2});
    }
    const auto ended = events.next_where<ObjectPath, std::int32_t, std::int32_t>(
        [](const Lifecycle& event) { return std::get<1>(event) == 5; }, event_limit);
    CHECK(std::get<2>(ended) == 1);
}

TEST_CASE("a start that fails leaves nothing and says what QEMU said") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(
        client,
        small_guest("web",
                    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                    "<source file='/nonexistent.img'/><target dev='vda' bus='virtio'/></disk>\n"));
    const auto before = instance.files();
    const std::string message =
        message_of([&] { client.call(domain_at(path), "Create", std::uint32_t{0}); });
    CHECK_MESSAGE(message.find("start domain 'web'") != std::string::npos, message);
    CHECK_MESSAGE(message.find("/nonexistent.img") != std::string::npos, message);
    CHECK(state_of(client, path) == StatePair(5, 6));
    CHECK_FALSE(instance.find("qemu-system-x86_64").has_value());
    for (const std::string& file : instance.files()) {
        CHECK_MESSAGE((file.starts_with("log/") || file.starts_with("cache/") ||
                       file.ends_with("last-id") ||
                       std::ranges::find(before, file) != before.end()),
                      file);
    }
}

TEST_CASE("a document that cannot work is refused with its line and nothing is defined") {
    const Instance instance;
    Client client = instance.connect();
    const auto refusal = [&](const std::string& xml) {
        return message_of([&] { define(client, xml); });
    };
    CHECK(refusal("<domain type='qemu'>").starts_with("XML error: line 1"));
    CHECK(
        refusal("<!DOCTYPE d [<!ENTITY a 'b'>]><domain type='qemu'/>").starts_with("XML error: "));
    CHECK(refusal("<domain type='warp'><name>x</name></domain>").find("'warp'") !=
          std::string::npos);
    const std::uint32_t validate = 16;
    CHECK(message_of([&] {
              client.call(
                  libvirt_connect, "DomainCreateXML", small_guest("web", "<flux/>\n"), validate);
          }).find("flux") != std::string::npos);
    CHECK(list_domains(client).empty());
    define(client, small_guest("web"));
    CHECK(refusal(small_guest("web")).find("already exists") != std::string::npos);
    CHECK(list_domains(client).size() == 1);
}

TEST_CASE("a domain is renamed while it is inactive") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    define(client, small_guest("mail"));
    client.call(domain_at(path), "Rename", "front", std::uint32_t{0});
    CHECK(client.get<std::string>(domain_at(path), "Name") == "front");
    CHECK(message_of([&] {
              client.call(domain_at(path), "Rename", "mail", std::uint32_t{0});
          }).find("already exists") != std::string::npos);
    instance.end("vireo-qemud", SIGKILL);
    CHECK(client.call<ObjectPath>(libvirt_connect, "DomainLookupByName", "front") == path);
}
