// SPDX-License-Identifier: LGPL-2.1-or-later
// What a client reads of the host and of what guests can have on it.
#include "tests/support/domain_calls.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace {

using namespace vireo;
using namespace vireo::test;

using Names = std::vector<std::string>;
using Times = std::map<std::string, std::uint64_t>;

std::string domain_capabilities(Client& client,
                                const std::string& emulator,
                                const std::string& arch,
                                const std::string& machine,
                                const std::string& virttype) {
    return client.call<std::string>(libvirt_connect,
                                    "GetDomainCapabilities",
                                    emulator,
                                    arch,
                                    machine,
                                    virttype,
                                    std::uint32_t{0});
}

Times cpu_stats(Client& client, std::int32_t cpu) {
    return client.call<Times>(libvirt_connect, "NodeGetCPUStats", cpu, std::uint32_t{0});
}

} // namespace

TEST_CASE("the host's capabilities name its processor and its emulator") {
    const Instance instance;
    Client client = instance.connect();
    const auto xml = client.call<std::string>(libvirt_connect, "GetCapabilities");
    CHECK_MESSAGE(xml.starts_with("<capabilities>"), xml);
    CHECK(contains(xml, "<arch>x86_64</arch>"));
    CHECK(contains(xml, "<emulator>/usr/bin/qemu-system-x86_64</emulator>"));
    CHECK(contains(xml, "canonical='pc-q35-"));
    CHECK(contains(xml, "<domain type='qemu'"));
}

TEST_CASE("what an emulator can do is told for its machine") {
    const Instance instance;
    Client client = instance.connect();
    const std::string xml = domain_capabilities(client, "", "", "", "qemu");
    CHECK_MESSAGE(xml.starts_with("<domainCapabilities>"), xml);
    CHECK(contains(xml, "<path>/usr/bin/qemu-system-x86_64</path>"));
    CHECK(contains(xml, "<domain>qemu</domain>"));
    CHECK(contains(xml, "<value>virtio</value>"));
    const std::string q35 =
        domain_capabilities(client, "/usr/bin/qemu-system-x86_64", "x86_64", "q35", "qemu");
    CHECK(contains(q35, "<machine>pc-q35-"));
    CHECK_FALSE(contains(xml, "<machine>pc-q35-")); // QEMU's own default is another

    CHECK(contains(message_of([&] { domain_capabilities(client, "", "riscv64", "", "qemu"); }),
                   "'riscv64'"));
    CHECK(contains(message_of([&] { domain_capabilities(client, "", "", "warp", "qemu"); }),
                   "'warp'"));
    CHECK(contains(message_of([&] { domain_capabilities(client, "", "", "", "xen"); }), "'xen'"));
    CHECK(contains(message_of([&] { domain_capabilities(client, "/nonexistent", "", "", ""); }),
                   "'/nonexistent'"));
}

TEST_CASE("names of CPU models are those of the emulator") {
    const Instance instance;
    Client client = instance.connect();
    const auto names =
        client.call<Names>(libvirt_connect, "GetCPUModelNames", "x86_64", std::uint32_t{0});
    CHECK(std::ranges::find(names, "Nehalem") != names.end());
    CHECK(std::ranges::find(names, "host") == names.end());
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    CHECK(message_of([&] {
              client.call<Names>(libvirt_connect, "GetCPUModelNames", "x86_64", std::uint32_t{1});
          }).starts_with("invalid argument: "));
}

TEST_CASE("the host's processors and their times") {
    const Instance instance;
    Client client = instance.connect();
    const auto map =
        client.call<std::vector<bool>>(libvirt_connect, "NodeGetCPUMap", std::uint32_t{0});
    CHECK(map.size() == static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_CONF)));
    CHECK(std::ranges::count(map, true) == sysconf(_SC_NPROCESSORS_ONLN));

    const auto keys = [](const Times& times) {
        Names names;
        for (const auto& [name, nanoseconds] : times) {
            names.push_back(name);
        }
        return names;
    };
    const Times all = cpu_stats(client, -1);
    CHECK(keys(all) == Names{"idle", "iowait", "kernel", "user"});
    CHECK(all.at("user") > 0);
    const auto first = std::ranges::find(map, true) - map.begin();
    const Times one = cpu_stats(client, static_cast<std::int32_t>(first));
    CHECK(keys(one) == keys(all));
    CHECK(one.at("user") <= cpu_stats(client, -1).at("user"));
    CHECK(message_of([&] { cpu_stats(client, 100'000); }).starts_with("invalid argument: "));
}

TEST_CASE("the host's SMBIOS strings, where it has some") {
    const Instance instance;
    Client client = instance.connect();
    const auto ask = [&](std::uint32_t flags) {
        return client.call<std::string>(libvirt_connect, "GetSysinfo", flags);
    };
    if (std::filesystem::exists("/sys/class/dmi/id/sys_vendor")) {
        CHECK(ask(0).starts_with("<sysinfo type='smbios'>"));
    } else {
        CHECK(message_of([&] {
                  ask(0);
              }).starts_with("this function is not supported by the connection driver: "));
    }
    CHECK(message_of([&] { ask(1); }).starts_with("invalid argument: "));
}
