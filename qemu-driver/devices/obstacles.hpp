// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"
#include "qemu-driver/model/host_functions.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What stands in a guest's way to the devices of the host that its document asks for. Pure: what
/// the host says is handed in.
namespace vireo::qemu {

/// One reason why a guest cannot start.
struct Obstacle {
    ErrorCode code{};
    /// What kind of reason, for programs: `namespaces`, `in-use-by-host`, …; see
    /// interfaces/org.vireo.Connect1.xml.
    std::string check;
    /// `disk 'vda'`; empty: the guest as a whole.
    std::string element;
    /// Of the element; 0: not known.
    unsigned line{};
    std::string cause;
    /// What can be done, the best first.
    std::vector<std::string> ways_out;
};

/// `line 12: disk 'vda': CAUSE; WAY, or WAY`.
Error to_error(const std::vector<Obstacle>& obstacles);

/// A namespace as the host's own driver knows it.
struct NamespaceFacts {
    uint32_t id{};
    uint32_t lba_bytes{};
    /// Absent where it is not known.
    std::optional<uint32_t> metadata_bytes;
};

/// Another function of an IOMMU group, or the function itself.
struct GroupMemberFacts {
    std::string address;
    std::string driver; // empty: none
    bool blocks{};      // its driver keeps the group from guests
    std::string holder; // of its lease; empty: none, or an administrator's
};

/// What the host says of a PCI function.
struct FunctionFacts {
    bool present{};
    bool is_nvme{};
    std::string driver; // that holds it now; empty: none
    std::string group;  // number of its IOMMU group; empty: the IOMMU is off
    std::vector<GroupMemberFacts> members;
    bool leased{};
    std::string holder;            // of the lease; empty: an administrator
    std::vector<std::string> uses; // by the host: `mount '/srv' (/dev/nvme0n1)`
    /// Absent where the kernel's NVMe driver does not have it.
    std::optional<std::vector<NamespaceFacts>> namespaces;
};

using FactsByAddress = std::map<std::string, FunctionFacts>;

/// How much memory this daemon can let a guest lock.
struct LockLimits {
    uint64_t hard_bytes{};
    bool may_raise{}; // CAP_SYS_RESOURCE
};

/// Another guest of this daemon that runs, or is further on its way.
struct OtherGuest {
    std::string name;
    std::string holder;
    std::vector<HostFunction> functions;
};

/// The holder of a guest's leases: `domain/UUID`.
std::string lease_holder(const std::string& uuid);

/// What only the document says: namespaces of one controller, virtio-mem beside them, too much
/// memory for the driver.
std::vector<Obstacle> document_obstacles(const DomainDef& def);

/// All: the document's, and what the host has against each of its `functions`, of which the facts
/// are there.
std::vector<Obstacle> host_obstacles(const DomainDef& def,
                                     const std::vector<HostFunction>& functions,
                                     const FactsByAddress& facts,
                                     const LockLimits& limits,
                                     const std::vector<OtherGuest>& others);

} // namespace vireo::qemu
