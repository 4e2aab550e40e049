// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics of domains, on real QEMU.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

constexpr std::uint32_t state_group = 1;
constexpr std::uint32_t balloon_group = 4;
constexpr std::uint32_t vcpu_group = 8;
constexpr std::uint32_t interface_group = 16;
constexpr std::uint32_t block_group = 32;
constexpr std::uint32_t all_groups = 1023;
constexpr std::uint32_t backing_flag = 0x4000'0000;
constexpr std::uint32_t enforce_flag = 0x8000'0000;
constexpr std::uint64_t disk_bytes = 1 << 20;

using Records = std::map<std::string, Values>;

Values
stats(Client& client, const ObjectPath& path, std::uint32_t groups, std::uint32_t flags = 0) {
    const bus::Message call = client.new_call(domain_at(path), "GetStats");
    bus::append(call.get(), groups);
    bus::append(call.get(), flags);
    const bus::Message reply = client.send(call);
    return read_double_variants(reply.get());
}

Records all_stats(Client& client, std::uint32_t groups, std::uint32_t flags = 0) {
    const bus::Message call = client.new_call(libvirt_connect, "GetAllDomainStats");
    bus::append(call.get(), groups);
    bus::append(call.get(), flags);
    const bus::Message reply = client.send(call);
    Records records;
    CHECK(sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_ARRAY, "(sa{sv})") > 0);
    while (sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_STRUCT, "sa{sv}") > 0) {
        auto name = bus::read<std::string>(reply.get());
        records[std::move(name)] = read_double_variants(reply.get());
        sd_bus_message_exit_container(reply.get());
    }
    return records;
}

template <class T>
T value(const Values& values, const std::string& name) {
    const auto found = values.find(name);
    REQUIRE_MESSAGE(found != values.end(), name);
    const T* held = found->second.get<T>();
    REQUIRE_MESSAGE(held != nullptr, name << " has another type");
    return *held;
}

constexpr auto count = &value<std::uint32_t>;
constexpr auto size = &value<std::uint64_t>;
constexpr auto number = &value<std::int32_t>;
constexpr auto text = &value<std::string>;

std::vector<std::string> groups_of(const Values& values) {
    std::vector<std::string> groups;
    for (const auto& [name, held] : values) {
        const std::string group = name.substr(0, name.find('.'));
        if (groups.empty() || groups.back() != group) {
            groups.push_back(group);
        }
    }
    return groups;
}

/// A guest with a disk, an interface, an I/O thread, a balloon.
std::string rich_guest(const Instance& instance, const std::string& name) {
    const std::filesystem::path image = instance.root() / (name + ".img");
    std::filesystem::create_directories(instance.root());
    std::ofstream(image).close();
    std::filesystem::resize_file(image, disk_bytes);
    std::string xml =
        small_guest(name,
                    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                    "<source file='" +
                        image.string() +
                        "'/><target dev='vda' bus='virtio'/></disk>"
                        "<interface type='user'><model type='virtio'/></interface>\n");
    xml.insert(xml.find("<vcpu>"), "<iothreads>2</iothreads>");
    return xml;
}

} // namespace

TEST_CASE("a running guest's statistics have every group") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, rich_guest(instance, "web"));
    start(client, path);

    const Values all = stats(client, path, 0);
    CHECK(groups_of(all) ==
          std::vector<std::string>{
              "balloon", "block", "cpu", "dirtyrate", "iothread", "net", "state", "vcpu"});
    CHECK(number(all, "state.state") == 1);
    CHECK(number(all, "state.reason") == 1);
    CHECK(size(all, "cpu.time") > 0);
    CHECK(size(all, "balloon.current") == 65536);
    CHECK(size(all, "balloon.maximum") == 65536);
    CHECK(size(all, "balloon.rss") > 10'000); // QEMU alone has more
    CHECK(count(all, "vcpu.current") == 1);
    CHECK(number(all, "vcpu.0.state") == 1);
    CHECK(all.contains("vcpu.0.time")); // it may not have run for a tick
    CHECK(count(all, "net.count") == 1);
    CHECK(count(all, "block.count") == 1);
    CHECK(text(all, "block.0.name") == "vda");
    CHECK(text(all, "block.0.path") == instance.root() / "web.img");
    CHECK(size(all, "block.0.capacity") == disk_bytes);
    CHECK(all.contains("block.0.physical"));
    CHECK(all.contains("block.0.rd.reqs"));
    CHECK(all.contains("block.0.fl.times"));
    CHECK(count(all, "iothread.count") == 2);
    CHECK(size(all, "iothread.1.poll-max-ns") > 0);
    CHECK(number(all, "dirtyrate.calc_status") == 0);

    // What cockpit asks for.
    CHECK(groups_of(stats(client, path, 45)) ==
          std::vector<std::string>{"balloon", "block", "state", "vcpu"});
    CHECK(groups_of(stats(client, path, interface_group)) == std::vector<std::string>{"net"});
    CHECK(message_of([&] { stats(client, path, 0, 1); }).starts_with("invalid argument: "));
    CHECK(message_of([&] {
              stats(client, path, 1U << 20, enforce_flag);
          }).find("are not supported by this daemon") != std::string::npos);
    CHECK(stats(client, path, 1U << 20).empty());
}

TEST_CASE("statistics of all domains select as ListDomains does") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath running = define(client, rich_guest(instance, "running"));
    define(client, rich_guest(instance, "stopped"));
    start(client, running, 1);

    const Records all = all_stats(client, all_groups, enforce_flag);
    REQUIRE(all.size() == 2);
    CHECK(number(all.at("running"), "state.state") == 3);
    const Values& stopped = all.at("stopped");
    CHECK(number(stopped, "state.state") == 5);
    CHECK(size(stopped, "balloon.maximum") == 65536);
    CHECK(count(stopped, "vcpu.maximum") == 1);
    CHECK(text(stopped, "block.0.name") == "vda");
    CHECK_FALSE(stopped.contains("cpu.time"));
    CHECK_FALSE(stopped.contains("net.count"));

    CHECK(all_stats(client, state_group, 1).contains("running"));
    CHECK(all_stats(client, state_group, 1).size() == 1);
    CHECK(all_stats(client, state_group, 2).contains("stopped"));
    CHECK(all_stats(client, state_group, 32).size() == 1); // paused
    CHECK(all_stats(client, state_group, 8).empty());      // transient
    CHECK(groups_of(all_stats(client, state_group).at("running")) ==
          std::vector<std::string>{"state"});
    CHECK(message_of([&] { all_stats(client, 0, 1U << 17); }).starts_with("invalid argument: "));
}

TEST_CASE("a guest whose QEMU does not answer costs no other domain's statistics") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, rich_guest(instance, "hung"));
    define(client, rich_guest(instance, "stopped"));
    start(client, path);
    const pid_t guest = instance.find("qemu-system-x86_64").value();
    ::kill(guest, SIGSTOP);
    const Records all = all_stats(client, 0);
    ::kill(guest, SIGCONT);
    CHECK(all.contains("stopped"));
    CHECK(number(all.at("hung"), "state.state") == 1);
    CHECK(count(all.at("hung"), "vcpu.current") == 1);
    CHECK_FALSE(all.at("hung").contains("vcpu.0.time"));
}

TEST_CASE("no definition is read for the statistics of stopped domains") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, rich_guest(instance, "web"));
    const auto groups = balloon_group | vcpu_group | block_group;
    const Values fresh = stats(client, path, groups, backing_flag);
    instance.end("vireo-qemud", SIGTERM); // the index is written
    CHECK(list_domains(client) == std::vector{path});

    // Nobody could read it from now on.
    for (const std::string& file : instance.files()) {
        if (file.starts_with("etc/qemu/") || file.ends_with(".xml")) {
            std::ofstream(instance.root() / file) << "no document";
        }
    }
    CHECK(message_of([&] { xml_of(client, path); }).find("definition of domain 'web'") !=
          std::string::npos);
    CHECK(stats(client, path, groups, backing_flag) == fresh);
    CHECK(all_stats(client, groups, backing_flag).at("web") == fresh);
}

TEST_CASE("without the index a definition is read once") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, rich_guest(instance, "web"));
    const Values fresh = stats(client, path, block_group);
    instance.end("vireo-qemud", SIGKILL);
    CHECK(stats(client, path, block_group) == fresh);
    for (const std::string& file : instance.files()) {
        if (file.ends_with(".xml")) {
            std::ofstream(instance.root() / file) << "no document";
        }
    }
    CHECK(stats(client, path, block_group) == fresh);
}
