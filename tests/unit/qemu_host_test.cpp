// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/document.hpp"
#include "qemu-driver/capabilities/host_capabilities.hpp"
#include "qemu-driver/capabilities/host_info.hpp"
#include "tests/support/host_tree.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;

namespace {

/// Two nodes, three CPUs, one of them off.
void make_host(test::HostTree& tree) {
    const char* cpu = "sys/devices/system/cpu/cpu";
    for (const char* id : {"0", "1", "2"}) {
        const std::string dir = std::string(cpu) + id;
        tree.write(dir + "/topology/physical_package_id", "0\n");
        tree.write(dir + "/topology/core_id", std::string(id) + "\n");
        tree.write(dir + "/topology/thread_siblings_list", std::string(id) + "\n");
    }
    tree.write("sys/devices/system/cpu/cpu2/online", "0\n");
    tree.write("sys/devices/system/cpu/present", "0-2\n");
    tree.write("sys/devices/system/cpu/online", "0-1\n");
    const std::string nodes = "sys/devices/system/node/node";
    tree.write(nodes + "0/meminfo", "Node 0 MemTotal:  4194304 kB\n");
    tree.write(nodes + "0/cpulist", "0-1\n");
    tree.write(nodes + "0/distance", "10 20\n");
    tree.write(nodes + "0/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
    tree.write(nodes + "1/meminfo", "Node 1 MemTotal:  1024 kB\n");
    tree.write(nodes + "1/cpulist", "2\n");
    tree.write(nodes + "1/distance", "20 10\n");
    tree.write("proc/stat",
               "cpu  30 2 20 1000 10 3 4 0 0 0\n"
               "cpu0 10 1 5 500 5 1 2 0 0 0\n");
    tree.write("sys/class/dmi/id/sys_vendor", "Acme & Sons\n");
    tree.write("sys/class/dmi/id/bios_date", "01/02/2003\n");
}

QemuCapabilities small_qemu() {
    QemuCapabilities caps;
    caps.binary = "/usr/bin/qemu";
    caps.arch = "x86_64";
    MachineType pc;
    pc.name = "pc-i440fx-7.2";
    pc.alias = "pc";
    pc.max_cpus = 255;
    pc.is_default = true;
    caps.machines = {pc};
    for (const char* name : {"max", "qemu64", "qemu64-v1", "Haswell"}) {
        CpuModel model;
        model.name = name;
        caps.tcg_cpu_models.push_back(model);
    }
    caps.tcg_cpu_models.back().unavailable_features = {"hle"};
    caps.types = {"virtio-blk-pci", "VGA"};
    return caps;
}

} // namespace

TEST_CASE("the host's cells, CPUs and pages are read from sysfs") {
    test::HostTree tree;
    make_host(tree);
    const HostInfo host = read_host_info(Sysfs(tree.root()));
    REQUIRE(host.cells.size() == 2);
    const HostCell& cell = host.cells[0];
    CHECK(cell.memory_kib == 4194304);
    REQUIRE(cell.pages.size() == 2);
    CHECK(cell.pages[1].size_kib == 2048);
    CHECK(cell.pages[1].count == 512);
    CHECK(cell.pages[0].count == (4194304 - 512 * 2048) / cell.pages[0].size_kib);
    CHECK(cell.distances[1] == std::pair(1U, 20U));
    REQUIRE(cell.cpus.size() == 2);
    CHECK(cell.cpus[1].core == 1U);
    CHECK_FALSE(host.cells[1].cpus.at(0).online);
    CHECK_FALSE(host.cells[1].cpus.at(0).core);
}

TEST_CASE("a host without anything readable has one empty cell") {
    test::HostTree tree;
    const HostInfo host = read_host_info(Sysfs(tree.root()));
    REQUIRE(host.cells.size() == 1);
    CHECK(host.cells[0].cpus.empty());
    CHECK_FALSE(host.iommu);
    CHECK_THROWS_AS(sysinfo_xml(Sysfs(tree.root())), Error);
    CHECK_THROWS_AS(read_cpu_stats(-1, Sysfs(tree.root())), Error);
}

TEST_CASE("the CPU map and times") {
    test::HostTree tree;
    make_host(tree);
    CHECK(read_cpu_map(Sysfs(tree.root())) == std::vector<bool>{true, true, false});
    const auto all = read_cpu_stats(-1, Sysfs(tree.root()));
    const auto one = read_cpu_stats(0, Sysfs(tree.root()));
    CHECK(all.at("user") == 32 * (all.at("iowait") / 10));
    CHECK(one.at("kernel") == 8 * (one.at("iowait") / 5));
    CHECK_THROWS_WITH_AS(
        read_cpu_stats(7, Sysfs(tree.root())), "no CPU 7 is online on this host", Error);
}

TEST_CASE("SMBIOS strings are text, and an absent one is left out") {
    test::HostTree tree;
    make_host(tree);
    const auto document = xml::Document::parse(sysinfo_xml(Sysfs(tree.root())));
    const auto system = document.root().child("system");
    REQUIRE(system);
    CHECK(system->child("entry")->text() == "Acme & Sons");
    CHECK_FALSE(system->child("entry")->next());
    CHECK_FALSE(document.root().child("chassis"));
}

TEST_CASE("the capabilities name host and guests") {
    test::HostTree tree;
    make_host(tree);
    const QemuCapabilities caps = small_qemu();
    const QemuCapabilities* const emulators[] = {&caps};
    const auto document = xml::Document::parse(
        capabilities_xml(read_host_info(Sysfs(tree.root())), std::nullopt, emulators));
    const auto guest = document.root().child("guest");
    REQUIRE(guest);
    const auto machine = guest->child("arch")->child("machine");
    CHECK(machine->text() == "pc-i440fx-7.2");
    CHECK(machine->next()->attribute("canonical") == "pc-i440fx-7.2");
    CHECK(machine->next()->text() == "pc");
    const auto topology = document.root().child("host")->child("cpu")->child("topology");
    REQUIRE(topology);
    CHECK(topology->attribute("cores") == "2");
    CHECK(cpu_model_names(caps) == std::vector<std::string>{"qemu64", "qemu64-v1", "Haswell"});
}

TEST_CASE("the domain capabilities say what this QEMU has") {
    const QemuCapabilities caps = small_qemu();
    DomainCapsRequest request;
    const auto document = xml::Document::parse(domain_capabilities_xml(caps, request));
    CHECK(document.root().child("machine")->text() == "pc-i440fx-7.2");
    const auto devices = document.root().child("devices");
    REQUIRE(devices);
    CHECK(devices->child("graphics")->attribute("supported") == "no");
    CHECK(devices->child("video")->child("enum")->child("value")->text() == "vga");
    const std::string text = domain_capabilities_xml(caps, request);
    CHECK(text.find("<model usable='no' vendor='unknown'>Haswell</model>") != std::string::npos);
    CHECK(text.find("qemu64-v1") == std::string::npos);
}

TEST_CASE("domain capabilities of what is not there are refused") {
    const QemuCapabilities caps = small_qemu();
    DomainCapsRequest request;
    request.machine = "q35";
    CHECK_THROWS_WITH_AS(
        domain_capabilities_xml(caps, request), "'/usr/bin/qemu' has no machine 'q35'", Error);
    request.machine.clear();
    request.kvm = true;
    CHECK_THROWS_AS(domain_capabilities_xml(caps, request), Error);
}
