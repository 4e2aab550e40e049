// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/mediated_capability.hpp"

#include <cstdint>
#include <optional>

/// IBM Z: the channel subsystem and its crypto adapters.
namespace vireo::nodedev {

/// `0.0.ffff` in three parts.
struct CcwAddress {
    uint32_t cssid{};
    uint32_t ssid{};
    uint32_t devno{};

    bool operator==(const CcwAddress&) const = default;
};

/// A device behind a subchannel.
struct CcwCapability {
    CcwAddress address;

    bool operator==(const CcwCapability&) const = default;
};

/// A subchannel, and the address of the device behind it where that is known.
struct CssCapability {
    CcwAddress address;
    std::optional<CcwAddress> channel_dev_addr;
    std::optional<MdevTypes> mdev_types;

    bool operator==(const CssCapability&) const = default;
};

struct ApCardCapability {
    uint32_t adapter{};

    bool operator==(const ApCardCapability&) const = default;
};

struct ApQueueCapability {
    uint32_t adapter{};
    uint8_t domain{};

    bool operator==(const ApQueueCapability&) const = default;
};

struct ApMatrixCapability {
    std::optional<MdevTypes> mdev_types;

    bool operator==(const ApMatrixCapability&) const = default;
};

} // namespace vireo::nodedev
