// SPDX-License-Identifier: LGPL-2.1-or-later
// A domain's memory and its vCPUs, on real QEMU.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <map>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

constexpr std::uint32_t live = 1;
constexpr std::uint32_t config = 2;
constexpr std::uint32_t maximum = 4;

constexpr const char* not_running = "Requested operation is not valid: domain is not running";
constexpr const char* no_balloon = "<memballoon model='none'/>\n";

void set_memory(Client& client, const ObjectPath& path, std::uint64_t kib, std::uint32_t flags) {
    client.call(domain_at(path), "SetMemory", kib, flags);
}

std::uint32_t vcpus(Client& client, const ObjectPath& path, std::uint32_t flags) {
    return client.call<std::uint32_t>(domain_at(path), "GetVcpus", flags);
}

} // namespace

TEST_CASE("the balloon of a running guest and the memory of the next start") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    CHECK(message_of([&] { set_memory(client, path, 32768, live); }) == not_running);
    set_memory(client, path, 49152, 0);
    CHECK(contains(xml_of(client, path), "<currentMemory unit='KiB'>49152<"));
    CHECK(
        message_of([&] { set_memory(client, path, 65537, 0); }).starts_with("invalid argument: "));
    CHECK(message_of([&] { set_memory(client, path, 1, 64); }).starts_with("invalid argument: "));

    start(client, path, 1);
    set_memory(client, path, 32768, live); // this guest has no driver: QEMU just remembers it
    CHECK(contains(xml_of(client, path, 2), "<currentMemory unit='KiB'>49152<"));
    CHECK(message_of([&] {
              set_memory(client, path, 131072, live | maximum);
          }).starts_with("Requested operation is not valid: "));
    set_memory(client, path, 131072, config | maximum);
    CHECK(contains(xml_of(client, path, 2), "<memory unit='KiB'>131072<"));
    CHECK(contains(xml_of(client, path), "<memory unit='KiB'>65536<"));
    destroy(client, path);
    set_memory(client, path, 40000, maximum);
    CHECK(contains(xml_of(client, path), "<currentMemory unit='KiB'>40000<"));
}

TEST_CASE("without a balloon a running guest's memory is what it is") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web", no_balloon));
    start(client, path, 1);
    CHECK(contains(message_of([&] { set_memory(client, path, 32768, 0); }), "memballoon"));
}

TEST_CASE("memory statistics and how often the guest is asked for them") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    using Stats = std::map<std::int32_t, std::uint64_t>;
    const auto stats = [&] {
        return client.call<Stats>(domain_at(path), "MemoryStats", std::uint32_t{0});
    };
    const auto set_period = [&](std::int32_t seconds, std::uint32_t flags) {
        client.call(domain_at(path), "SetMemoryStatsPeriod", seconds, flags);
    };
    CHECK(message_of([&] { stats(); }) == not_running);
    set_period(7, 0);
    CHECK(contains(xml_of(client, path), "<stats period='7'/>"));
    start(client, path, 1);
    const Stats now = stats();
    CHECK(now.at(6) == 65536);    // the balloon's size
    CHECK(now.at(7) > 10'000);    // QEMU's resident memory
    CHECK_FALSE(now.contains(4)); // which only the guest knows
    set_period(3, live);
    CHECK(contains(xml_of(client, path), "<stats period='3'/>"));
    CHECK(contains(xml_of(client, path, 2), "<stats period='7'/>"));
    instance.end("vireo-qemud", SIGKILL);
    CHECK(contains(xml_of(client, path), "<stats period='3'/>"));
    CHECK(message_of([&] { set_period(-1, 0); }).starts_with("invalid argument: "));
}

TEST_CASE("the number of vCPUs, now and at most") {
    const Instance instance;
    Client client = instance.connect();
    std::string xml = small_guest("web");
    xml.replace(xml.find("<vcpu>1<"), 8, "<vcpu current='2'>4<");
    const ObjectPath path = define(client, xml);
    CHECK(vcpus(client, path, 0) == 2);
    CHECK(vcpus(client, path, maximum) == 4);
    CHECK(vcpus(client, path, config | maximum) == 4);
    CHECK(message_of([&] { vcpus(client, path, live); }) == not_running);
    CHECK(message_of([&] { vcpus(client, path, 8); }).find("GUEST") != std::string::npos);
    start(client, path, 1);
    CHECK(vcpus(client, path, live) == 2);
    CHECK(
        message_of([&] { vcpus(client, path, live | config); }).starts_with("invalid argument: "));
}

TEST_CASE("a guest that has no job, hears its monitor and is awake says so") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    const auto zero = std::uint32_t{0};
    using Control = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;
    const auto control = [&] {
        return client.call<Control>(domain_at(path), "GetControlInfo", zero);
    };
    CHECK(message_of([&] { control(); }) == not_running);
    CHECK(message_of([&] { client.call(domain_at(path), "AbortJob"); }) == not_running);
    CHECK(message_of([&] { client.call(domain_at(path), "PMWakeup", zero); }) == not_running);
    start(client, path, 1);
    CHECK(control() == Control());
    CHECK(contains(message_of([&] { client.call(domain_at(path), "AbortJob"); }), "no job"));
    CHECK(contains(message_of([&] { client.call(domain_at(path), "PMWakeup", zero); }),
                   "system_wakeup"));
}
