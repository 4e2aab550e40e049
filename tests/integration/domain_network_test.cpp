// SPDX-License-Identifier: LGPL-2.1-or-later
// Tap devices of guests, in a network of the test's own.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <sched.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <net/if.h>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

/// Leaves the host's network for an empty one; what is started from here on is there too.
bool enter_own_network() {
    static const bool entered = [] {
        if (::unshare(CLONE_NEWNET) == 0) {
            return true;
        }
        MESSAGE("skipped: no network namespace can be made here: " << std::strerror(errno));
        return false;
    }();
    return entered;
}

std::string ip(const Instance& instance, const std::vector<std::string>& words) {
    std::vector<std::string> command{"ip"};
    command.insert(command.end(), words.begin(), words.end());
    const Finished finished = instance.run(std::move(command), 30s);
    REQUIRE_MESSAGE(finished.status == 0, finished.output);
    return finished.output;
}

bool exists(const std::string& device) {
    return if_nametoindex(device.c_str()) != 0;
}

constexpr const char* bridged =
    "<interface type='bridge'><source bridge='lan'/><model type='virtio'/></interface>\n";

} // namespace

TEST_CASE("a tap device is in its bridge as long as its guest runs") {
    if (!enter_own_network()) {
        return;
    }
    const Instance instance;
    ip(instance, {"link", "add", "lan", "type", "bridge"});
    Client client = instance.connect();
    const ObjectPath first = define(client, small_guest("first", bridged));
    const ObjectPath second = define(client, small_guest("second", bridged));
    CHECK_FALSE(contains(xml_of(client, first), "vnet"));
    start(client, first, 1);
    start(client, second, 1);
    CHECK(contains(xml_of(client, first), "<target dev='vnet0'/>"));
    CHECK(contains(xml_of(client, second), "<target dev='vnet1'/>"));
    const std::string members = ip(instance, {"-o", "link", "show", "master", "lan", "up"});
    CHECK_MESSAGE(contains(members, " vnet0: "), members);
    CHECK_MESSAGE(contains(members, " vnet1: "), members);
    CHECK_MESSAGE(contains(members, "link/ether fe:"), members);

    destroy(client, first);
    CHECK_FALSE(exists("vnet0"));
    instance.end("vireo-qemud", SIGKILL); // the guest's device is the guest's, not the daemon's
    CHECK(contains(xml_of(client, second), "<target dev='vnet1'/>"));
    CHECK(exists("vnet1"));
    instance.end("qemu-system-x86_64", SIGKILL);
    CHECK_FALSE(exists("vnet1"));
    ip(instance, {"link", "delete", "lan"});
}

TEST_CASE("a bridge that is not there is named and no device is left") {
    if (!enter_own_network()) {
        return;
    }
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web", bridged));
    const std::string message = message_of([&] { start(client, path); });
    CHECK_MESSAGE(contains(message, "'lan'"), message);
    CHECK_MESSAGE(contains(message, "net0"), message);
    CHECK_FALSE(exists("vnet0"));
}

TEST_CASE("an ethernet interface's device is made under its name, and one that is there is used") {
    if (!enter_own_network()) {
        return;
    }
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath made = define(client,
                                   small_guest("made",
                                               "<interface type='ethernet'><target dev='mine'/>"
                                               "<model type='virtio'/></interface>\n"));
    start(client, made, 1);
    CHECK(exists("mine"));
    destroy(client, made);
    CHECK_FALSE(exists("mine"));

    ip(instance, {"tuntap", "add", "dev", "mine", "mode", "tap", "vnet_hdr"});
    const std::string before = ip(instance, {"-o", "link", "show", "mine"});
    start(client, made, 1);
    destroy(client, made);
    REQUIRE(exists("mine"));
    const auto mac = before.substr(before.find("link/ether"), 28);
    CHECK(contains(ip(instance, {"-o", "link", "show", "mine"}), mac)); // it is its owner's
    ip(instance, {"tuntap", "del", "dev", "mine", "mode", "tap"});
}

TEST_CASE("the queues of an interface are one device") {
    if (!enter_own_network()) {
        return;
    }
    const Instance instance;
    ip(instance, {"link", "add", "lan", "type", "bridge"});
    Client client = instance.connect();
    const ObjectPath path =
        define(client,
               small_guest("web",
                           "<interface type='bridge'><source bridge='lan'/><model type='virtio'/>"
                           "<driver name='qemu' queues='2'/></interface>\n"));
    start(client, path, 1);
    CHECK(contains(xml_of(client, path), "<target dev='vnet0'/>"));
    CHECK_FALSE(exists("vnet1"));
    ip(instance, {"link", "delete", "lan"});
}
