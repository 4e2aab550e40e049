// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/nested.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vireo::nodedev {

/// A Fibre Channel host adapter's World Wide Names, as the kernel writes them without 0x.
struct FcHost {
    Word<"fc_host"> type{};
    std::string wwnn;
    std::string wwpn;
    std::string fabric_wwn;

    bool operator==(const FcHost&) const = default;
};

/// An adapter that can have virtual ports (NPIV), and how many it has.
struct VportOps {
    Word<"vport_ops"> type{};
    uint32_t max_vports{};
    uint32_t vports{};

    bool operator==(const VportOps&) const = default;
};

struct ScsiHostCapability {
    uint32_t host{};
    /// Tells the hosts of one adapter apart; -1 is not known.
    int32_t unique_id = -1;
    std::optional<FcHost> fc_host;
    std::optional<VportOps> vport_ops;

    bool operator==(const ScsiHostCapability&) const = default;
};

struct FcRemotePort {
    Word<"fc_remote_port"> type{};
    /// `rport-1:0-0`
    std::string rport;
    std::string wwpn;

    bool operator==(const FcRemotePort&) const = default;
};

struct ScsiTargetCapability {
    /// `target0:0:0`
    std::string target;
    std::optional<FcRemotePort> remote_port;

    bool operator==(const ScsiTargetCapability&) const = default;
};

/// A logical unit.
struct ScsiCapability {
    uint32_t host{};
    uint32_t bus{};
    uint32_t target{};
    uint32_t lun{};
    /// `disk`, `cdrom`, `tape` ...; empty is not known.
    std::string type;

    bool operator==(const ScsiCapability&) const = default;
};

struct ScsiGenericCapability {
    /// `/dev/sg0`
    std::string character;

    bool operator==(const ScsiGenericCapability&) const = default;
};

} // namespace vireo::nodedev
