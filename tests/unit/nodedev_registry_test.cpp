// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "nodedev-driver/model/capability_kind.hpp"
#include "nodedev-driver/registry.hpp"

#include <doctest/doctest.h>

using namespace vireo::nodedev;

namespace {

NodeDevice device(std::string name, std::string path, Capability capability = PciCapability{}) {
    NodeDevice made;
    made.name = std::move(name);
    made.path = std::move(path);
    made.capability = std::move(capability);
    return made;
}

NodeDevice computer() {
    NodeDevice made;
    made.name = "computer";
    return made;
}

const std::string bus = "/sys/devices/pci0000:00";

std::vector<NodeDevice> small_host() {
    return {device("net_eth0", bus + "/0000:00:02.0/net/eth0", NetCapability{}),
            device("pci_2", bus + "/0000:00:02.0"),
            computer()};
}

} // namespace

TEST_CASE("the nearest device above is the parent, the computer where there is none") {
    Registry registry;
    registry.assign(small_host());
    CHECK(registry.find("net_eth0")->parent == "pci_2");
    CHECK(registry.find("pci_2")->parent == "computer");
    CHECK_FALSE(registry.find("computer")->parent.has_value());
    CHECK(registry.find("pci_3") == nullptr);
}

TEST_CASE("a second scan tells only what differs") {
    Registry registry;
    CHECK(registry.assign(small_host()).size() == 3);
    CHECK(registry.assign(small_host()).empty());
    const auto kept = registry.find("pci_2");
    auto found = small_host();
    found.erase(found.begin());
    found.push_back(device("pci_3", bus + "/0000:00:03.0"));
    found.front().driver = "vfio-pci";
    CHECK(registry.assign(found) == std::vector<Change>{{"net_eth0", ChangeKind::deleted},
                                                        {"pci_2", ChangeKind::updated},
                                                        {"pci_3", ChangeKind::created}});
    CHECK_FALSE(kept->driver.has_value()); // who held it keeps what he read
    CHECK(registry.find("pci_2")->driver == "vfio-pci");
}

TEST_CASE("one device comes, changes, gets another name, goes") {
    Registry registry;
    registry.assign({computer()});
    const std::string path = bus + "/0000:00:02.0/block/sda";
    const auto disk = [&path](const char* name) { return device(name, path, StorageCapability{}); };
    CHECK(registry.update(path, disk("block_sda")) ==
          std::vector<Change>{{"block_sda", ChangeKind::created}});
    CHECK(registry.update(path, disk("block_sda")) ==
          std::vector<Change>{{"block_sda", ChangeKind::updated}});
    CHECK(registry.update(path, disk("block_sda_SERIAL")) ==
          std::vector<Change>{{"block_sda", ChangeKind::deleted},
                              {"block_sda_SERIAL", ChangeKind::created}});
    CHECK(registry.update(path, std::nullopt) ==
          std::vector<Change>{{"block_sda_SERIAL", ChangeKind::deleted}});
    CHECK(registry.update(path, std::nullopt).empty());
    CHECK(registry.devices().size() == 1);
}

TEST_CASE("a device that moves keeps one entry") {
    Registry registry;
    registry.assign({computer(), device("usb_1_1", bus + "/a/usb1/1-1")});
    CHECK(registry.update(bus + "/b/usb1/1-1", device("usb_1_1", bus + "/b/usb1/1-1")) ==
          std::vector<Change>{{"usb_1_1", ChangeKind::updated}});
    CHECK(registry.update(bus + "/a/usb1/1-1", std::nullopt).empty());
    CHECK(registry.find("usb_1_1") != nullptr);
}

TEST_CASE("list flags choose kinds; everything that is listed is active") {
    const NodeDevice pci = device("pci_2", bus);
    const NodeDevice disk = device("block_sda", bus, StorageCapability{});
    CHECK(listed(pci, 0));
    CHECK(listed(pci, 1U << 1));
    CHECK_FALSE(listed(disk, 1U << 1));
    CHECK(listed(disk, (1U << 1) | (1U << 8)));
    CHECK(listed(computer(), 1));
    CHECK(listed(disk, list_active));
    CHECK(listed(disk, list_active | list_inactive));
    CHECK_FALSE(listed(disk, list_inactive));
    CHECK_FALSE(listed(disk, list_active | 2));
    CHECK(capability_names(disk) == std::vector<std::string_view>{"storage"});
    CHECK_NOTHROW(check_list_flags(list_active | (1U << 21)));
    CHECK_THROWS_AS(check_list_flags(1U << 22), vireo::Error);
}
