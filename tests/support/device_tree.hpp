// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/host_tree.hpp"

#include <string>

namespace vireo::test {

inline const std::string pci_bus = "/sys/devices/pci0000:00";

/// A small host: a network card, its interface, and a disk on a controller.
inline void add_small_host(HostTree& host) {
    const std::string card = pci_bus + "/0000:00:03.0";
    const std::string controller = pci_bus + "/0000:00:1f.2";
    const auto pci = [](const std::string& device, const std::string& driver) {
        return std::map<std::string, std::string>{{"vendor", "0x8086\n"},
                                                  {"device", device + "\n"},
                                                  {"class", "0x010601\n"},
                                                  {"uevent", "DRIVER=" + driver + "\n"}};
    };
    host.device(card, "bus/pci", pci("0x10c9", "igb"));
    host.device(controller, "bus/pci", pci("0x2922", "ahci"));
    host.device(card + "/net/eth0",
                "class/net",
                {{"address", "52:54:00:00:00:01\n"},
                 {"operstate", "down\n"},
                 {"uevent", "INTERFACE=eth0\nIFINDEX=2\n"}});
    host.device(controller + "/ata1/host0/block/sda",
                "class/block",
                {{"size", "2048\n"}, {"uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n"}});
    host.write("/run/udev/data/b8:0", "E:ID_TYPE=disk\nE:ID_SERIAL=QM00001\n");
}

/// An NVMe controller `nvme<number>` that is the PCI function `slot`; gives the path of the latter.
inline std::string add_nvme_controller(HostTree& host, const std::string& slot, unsigned number) {
    const std::string function = pci_bus + "/" + slot;
    const std::string name = "nvme" + std::to_string(number);
    host.device(function,
                "bus/pci",
                {{"vendor", "0x1b36\n"},
                 {"device", "0x0010\n"},
                 {"class", "0x010802\n"},
                 {"uevent", "DRIVER=nvme\nPCI_SLOT_NAME=" + slot + "\n"}});
    host.device(function + "/nvme/" + name,
                "class/nvme",
                {{"model", "QEMU NVMe Ctrl                          \n"},
                 {"serial", "LAB" + std::to_string(number) + "                \n"},
                 {"firmware_rev", "8.0.0   \n"},
                 {"subsysnqn", "nqn.2019-08.org.qemu:lab\n"},
                 {"transport", "pcie\n"},
                 {"address", slot + "\n"},
                 {"state", "live\n"},
                 {"cntlid", std::to_string(number) + "\n"},
                 {"numa_node", "1\n"},
                 {"uevent", "MAJOR=240\nMINOR=0\nDEVNAME=" + name + "\n"}});
    return function;
}

/// A namespace's disk `nvme<subsystem>n<id>` of 1 GiB in `folder`, with its generic device.
inline std::string
add_namespace(HostTree& host, const std::string& folder, unsigned subsystem, unsigned id) {
    const std::string digits = std::to_string(subsystem) + "n" + std::to_string(id);
    const std::string path = folder + "/nvme" + digits;
    const std::string minor = std::to_string(subsystem * 1000 + id);
    host.device(
        path,
        "class/block",
        {{"nsid", std::to_string(id) + "\n"},
         {"size", "2097152\n"},
         {"dev", "259:" + minor + "\n"},
         {"queue/logical_block_size", "4096\n"},
         {"nguid", "00000000-0000-0000-0000-000000000000\n"},
         {"eui", "00 25 38 5b 61 b0 a4 c1\n"},
         {"uevent", "MAJOR=259\nMINOR=" + minor + "\nDEVNAME=nvme" + digits + "\nDEVTYPE=disk\n"}});
    host.device(folder + "/ng" + digits, "class/nvme-generic", {});
    return path;
}

} // namespace vireo::test
