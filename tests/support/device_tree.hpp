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

} // namespace vireo::test
