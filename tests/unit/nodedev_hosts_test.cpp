// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole hosts that this machine is not: their documents, and what a question costs on them.
#include "nodedev-driver/driver.hpp"
#include "nodedev-driver/probe/vital_product_data.hpp"
#include "tests/support/device_tree.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>

using namespace vireo;
using namespace vireo::nodedev;
using namespace vireo::test;

namespace {

struct Server {
    void scan() {
        std::vector<NodeDevice> found{probe_computer(driver.sources)};
        for (const std::string& path : device_paths(driver.sources)) {
            if (auto device = probe_device(driver.sources, path)) {
                found.push_back(std::move(*device));
            }
        }
        driver.registry.assign(std::move(found));
        sd_event_run(loop.get(), 0); // from now on there are turns
    }

    std::string document(const std::string& name) const {
        return format_device(*driver.registry.get(name));
    }

    HostTree host;
    Loop loop;
    Driver driver{
        loop,
        ProbeSources{.sysfs = Sysfs(host.root()),
                     .names = [](const std::string&, const char*) { return std::string(); },
                     .vpd = {}},
        host.root() / "leases"};
};

} // namespace

TEST_CASE(
    "an NVMe drive with SR-IOV: the physical function, a virtual one, and their controllers") {
    Server server;
    HostTree& host = server.host;
    const std::string physical = add_nvme_controller(host, "0000:81:00.0", 0);
    const std::string first = add_nvme_controller(host, "0000:81:00.1", 1);
    const std::string second = pci_bus + "/0000:81:00.2";
    host.device(second,
                "bus/pci",
                {{"vendor", "0x1b36\n"}, {"device", "0x0010\n"}, {"uevent", "DRIVER=vfio-pci\n"}});
    host.write(physical + "/sriov_totalvfs", "64\n");
    host.write(physical + "/numa_node", "3\n");
    host.link(physical + "/virtfn0", first);
    host.link(physical + "/virtfn1", second);
    for (const std::string& function : {first, second}) {
        host.link(function + "/physfn", physical);
    }
    host.link(physical + "/iommu_group", "/sys/kernel/iommu_groups/40");
    host.link("/sys/kernel/iommu_groups/40/devices/0000:81:00.0", physical);
    server.driver.sources.vpd[physical] = *parse_vital_product_data(std::string_view("\x82\x04\x00"
                                                                                     "Disk"
                                                                                     "\x90\x07\x00"
                                                                                     "PN\x04"
                                                                                     "P4x0"
                                                                                     "\x78",
                                                                                     18));
    server.scan();
    CHECK(server.document("pci_0000_81_00_0") == R"(<device>
  <name>pci_0000_81_00_0</name>
  <path>/sys/devices/pci0000:00/0000:81:00.0</path>
  <parent>computer</parent>
  <driver>
    <name>nvme</name>
  </driver>
  <capability type='pci'>
    <class>0x010802</class>
    <domain>0</domain>
    <bus>129</bus>
    <slot>0</slot>
    <function>0</function>
    <product id='0x0010'/>
    <vendor id='0x1b36'/>
    <capability type='virt_functions' maxCount='64'>
      <address domain='0x0000' bus='0x81' slot='0x00' function='0x1'/>
      <address domain='0x0000' bus='0x81' slot='0x00' function='0x2'/>
    </capability>
    <capability type='vpd'>
      <name>Disk</name>
      <fields access='readonly'>
        <part_number>P4x0</part_number>
      </fields>
    </capability>
    <iommuGroup number='40'>
      <address domain='0x0000' bus='0x81' slot='0x00' function='0x0'/>
    </iommuGroup>
    <numa node='3'/>
  </capability>
</device>
)");
    CHECK(server.document("pci_0000_81_00_2") == R"(<device>
  <name>pci_0000_81_00_2</name>
  <path>/sys/devices/pci0000:00/0000:81:00.2</path>
  <parent>computer</parent>
  <driver>
    <name>vfio-pci</name>
  </driver>
  <capability type='pci'>
    <domain>0</domain>
    <bus>129</bus>
    <slot>0</slot>
    <function>2</function>
    <product id='0x0010'/>
    <vendor id='0x1b36'/>
    <capability type='phys_function'>
      <address domain='0x0000' bus='0x81' slot='0x00' function='0x0'/>
    </capability>
  </capability>
</device>
)");
    CHECK(server.document("nvme_nvme0") == R"(<device>
  <name>nvme_nvme0</name>
  <path>/sys/devices/pci0000:00/0000:81:00.0/nvme/nvme0</path>
  <devnode type='dev'>/dev/nvme0</devnode>
  <parent>pci_0000_81_00_0</parent>
  <capability type='nvme'>
    <controller>nvme0</controller>
    <address domain='0x0000' bus='0x81' slot='0x00' function='0x0'/>
    <model>QEMU NVMe Ctrl</model>
    <serial>LAB0</serial>
    <firmware>8.0.0</firmware>
    <nqn>nqn.2019-08.org.qemu:lab</nqn>
    <transport>pcie</transport>
    <state>live</state>
    <id>0</id>
    <numa node='1'/>
    <secondary_controllers maxCount='64'>
      <secondary controller='nvme1'>
        <address domain='0x0000' bus='0x81' slot='0x00' function='0x1'/>
      </secondary>
      <secondary>
        <address domain='0x0000' bus='0x81' slot='0x00' function='0x2'/>
      </secondary>
    </secondary_controllers>
  </capability>
</device>
)");
}

TEST_CASE("four sockets with 500 namespaces and 5000 functions: everybody's uses at one go") {
    Server server;
    HostTree& host = server.host;
    for (unsigned socket = 0; socket < 4; ++socket) {
        const std::string slot = fmt::format("{:04x}:01:00.0", socket);
        const std::string function = add_nvme_controller(host, slot, socket);
        host.write(function + "/numa_node", fmt::format("{}\n", socket));
        for (unsigned id = 1; id <= 125; ++id) {
            add_namespace(host, function + fmt::format("/nvme/nvme{}", socket), socket, id);
        }
    }
    for (unsigned number = 0; number < 5000; ++number) {
        const std::string slot = fmt::format("{:04x}:{:02x}:{:02x}.{:x}",
                                             16 + number / 2048,
                                             number / 256 % 8,
                                             number / 8 % 32,
                                             number % 8);
        host.device("/sys/devices/many/" + slot,
                    "bus/pci",
                    {{"vendor", "0x8086\n"}, {"device", "0x10c9\n"}});
    }
    std::string mounts; // the 125th of each, and the first
    for (unsigned socket = 0; socket < 4; ++socket) {
        mounts += fmt::format("36 1 259:{} / /srv/{} rw - ext4 /dev/nvme{}n125 rw\n",
                              socket * 1000 + 125,
                              socket,
                              socket);
    }
    host.write("/proc/1/mountinfo", mounts + "36 1 259:1 / / rw - ext4 /dev/nvme0n1 rw\n");
    server.scan();
    CHECK(server.driver.registry.devices().size() == 5000 + 4 * 127 + 1);
    CHECK(std::get<PciCapability>(server.driver.registry.get("pci_0003_01_00_0")->capability)
              .numa_node == 3U);
    const auto begin = std::chrono::steady_clock::now();
    size_t used = 0;
    for (const auto& [name, device] : server.driver.registry.devices()) {
        used += server.driver.uses(*device).size();
    }
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    MESSAGE("the uses of 5509 devices take " << taken.count() << " ms");
    CHECK(used == 3 * 5); // of each disk, its controller and the function
    // Each disk is read once; that 5000 others do not look at 500 disks is what this limit sees.
    CHECK(taken < std::chrono::seconds(10));
    const auto of_first = server.driver.uses(*server.driver.registry.get("pci_0000_01_00_0"));
    CHECK(of_first == std::vector<DeviceUse>{{"mount", "/", "/dev/nvme0n1"},
                                             {"mount", "/srv/0", "/dev/nvme0n125"}});
}

TEST_CASE(
    "what is asked in one turn is read once, and again when the list or the turn is another") {
    Server server;
    HostTree& host = server.host;
    const std::string function = add_nvme_controller(host, "0000:01:00.0", 0);
    const std::string disk = add_namespace(host, function + "/nvme/nvme0", 0, 1);
    server.scan();
    const auto uses = [&] {
        return server.driver.uses(*server.driver.registry.get("nvme_nvme0")).size();
    };
    CHECK(uses() == 0);
    host.write("/proc/1/mountinfo", "36 1 259:1 / /srv rw - ext4 /dev/nvme0n1 rw\n");
    server.driver.registry.update(disk, probe_device(server.driver.sources, disk));
    CHECK(uses() == 1);
    host.write("/proc/1/mountinfo", "");
    sd_event_run(server.loop.get(), 0);
    CHECK(uses() == 0);
}
