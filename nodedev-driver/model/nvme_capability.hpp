// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/device_use.hpp"
#include "nodedev-driver/model/nested.hpp"
#include "nodedev-driver/model/pci_capability.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What libvirt has no capability for. Words are those of the NVMe specification and of the
/// kernel's drivers/nvme/host/sysfs.c.
namespace vireo::nodedev {

/// A virtual function of an SR-IOV controller; `controller` (`nvme3`) is empty where no NVMe driver
/// is bound to it.
struct SecondaryController {
    PciAddress address;
    std::string controller;

    bool operator==(const SecondaryController&) const = default;
};

struct SecondaryControllers {
    /// How many there can be.
    uint32_t max_count{};
    std::vector<SecondaryController> controllers;

    bool operator==(const SecondaryControllers&) const = default;
};

/// An NVMe controller: `nvme0`. Empty strings are not known.
struct NvmeCapability {
    std::string controller;
    /// Of a controller that is a PCI function.
    std::optional<PciAddress> address;
    std::string model;
    std::string serial;
    std::string firmware;
    /// The NVM subsystem's qualified name.
    std::string nqn;
    /// `pcie`, `tcp`, `rdma`, `fc`, `loop`
    std::string transport;
    /// `live`, `resetting`, `connecting`, `dead` ...
    std::string state;
    std::optional<uint32_t> id;
    std::optional<uint32_t> numa_node;
    std::optional<SecondaryControllers> secondary;

    bool operator==(const NvmeCapability&) const = default;
};

/// A namespace, inside the capability of its disk. Sizes are bytes; what is absent or empty is not
/// known: the kernel tells `used` and `metadata` from version 6.8 on.
struct NvmeNamespace {
    Word<"nvme_namespace"> type{};
    uint32_t id{};
    /// The controllers that reach it: `nvme0`.
    std::vector<std::string> controllers;
    uint64_t size{};
    std::optional<uint64_t> used;
    uint32_t lba_size{};
    std::optional<uint32_t> metadata_size;
    std::string nguid;
    std::string eui64;
    std::string uuid;
    /// `/dev/ng0n1`
    std::string generic;
    /// What on the host uses it, looked up when it is asked for.
    std::vector<DeviceUse> uses;

    bool operator==(const NvmeNamespace&) const = default;
};

} // namespace vireo::nodedev
