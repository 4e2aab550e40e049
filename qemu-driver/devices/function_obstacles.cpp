// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/function_obstacles.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace vireo::qemu {

Obstacle obstacle_of(ErrorCode code, std::string check, const HostFunction& function) {
    return {.code = code,
            .check = std::move(check),
            .element = function.element,
            .line = function.where.line,
            .cause = {},
            .ways_out = {}};
}

std::string block_way(const HostFunction& function) {
    return fmt::format("take <disk type='block'> on the device of the namespace (/dev/nvme…n{}), "
                       "with the controller left to the host",
                       function.namespace_id);
}

const char* const whole_controller_way =
    "give the whole controller to the guest by <hostdev mode='subsystem' "
    "type='pci' managed='yes'>: it has all namespaces then";

namespace {

constexpr uint32_t largest_lba_bytes = 4096;

std::string members_text(const FunctionFacts& facts) {
    std::vector<std::string> words;
    words.reserve(facts.members.size());
    for (const GroupMemberFacts& member : facts.members) {
        words.push_back(fmt::format(
            "{} ({})", member.address, member.driver.empty() ? "no driver" : member.driver));
    }
    return fmt::format("IOMMU group {}: {}", facts.group, fmt::join(words, ", "));
}

/// The checks of one function, in the order in which they make sense.
class FunctionCheck {
  public:
    FunctionCheck(const std::vector<HostFunction>& all,
                  const HostFunction& function,
                  const FunctionFacts& facts,
                  const std::vector<OtherGuest>& others,
                  const std::string& holder,
                  std::vector<Obstacle>& found)
        : all_(all),
          function_(function),
          facts_(facts),
          others_(others),
          holder_(holder),
          found_(found),
          address_(format_function(function.address)) {}

    void run() {
        if (!facts_.present) {
            add(ErrorCode::no_node_device,
                "no-device",
                fmt::format("the host has no PCI device {}", address_),
                {"see what there is: the node devices of type pci (ListNodeDevices), or lspci -D"});
            return;
        }
        if (function_.nvme() && !facts_.is_nvme) {
            add(ErrorCode::config_unsupported,
                "not-nvme",
                fmt::format("PCI device {} is no NVMe controller", address_),
                {"give it to the guest by <hostdev>"});
            return;
        }
        check_iommu();
        check_holder();
        check_binding();
        check_uses();
        check_namespace();
    }

  private:
    void
    add(ErrorCode code, const char* check, std::string cause, std::vector<std::string> ways_out) {
        Obstacle each = obstacle_of(code, check, function_);
        each.cause = std::move(cause);
        each.ways_out = std::move(ways_out);
        found_.push_back(std::move(each));
    }

    /// Another function of the group that this guest takes as well.
    bool taken_too(const std::string& address) const {
        return std::ranges::any_of(all_, [&](const HostFunction& other) {
            return other.managed && format_function(other.address) == address;
        });
    }

    void check_iommu() {
        if (facts_.group.empty()) {
            add(ErrorCode::operation_invalid,
                "no-iommu",
                fmt::format("{} is in no IOMMU group: the host's IOMMU is off", address_),
                {"switch it on in the firmware (VT-d, AMD-Vi) and on the kernel's command line "
                 "(intel_iommu=on)",
                 function_.nvme() ? block_way(function_) : "take an emulated device"});
            return;
        }
        const bool blocked = std::ranges::any_of(facts_.members, [&](const auto& member) {
            return member.blocks && member.address != address_ && !taken_too(member.address);
        });
        if (blocked) {
            add(ErrorCode::operation_invalid,
                "group-not-viable",
                fmt::format("{} cannot be given to a guest while others of its group are with the "
                            "host: {}",
                            address_,
                            members_text(facts_)),
                {"detach the others of the group too (NodeDevice.Detach), or give them to this "
                 "guest by <hostdev managed='yes'>"});
        }
    }

    std::string guest_named(const std::string& holder) const {
        const auto guest = std::ranges::find(others_, holder, &OtherGuest::holder);
        return guest == others_.end() ? fmt::format("'{}'", holder)
                                      : fmt::format("guest '{}'", guest->name);
    }

    void add_used(const std::string& who) {
        add(ErrorCode::resource_busy,
            "in-use-by-guest",
            fmt::format("{} is in use by {}", address_, who),
            {"end that guest, or detach the device from it"});
    }

    void check_holder() {
        if (facts_.leased && !facts_.holder.empty() && facts_.holder != holder_) {
            add_used(guest_named(facts_.holder));
            return;
        }
        if (facts_.leased && facts_.holder.empty() && function_.managed) {
            add(ErrorCode::resource_busy,
                "detached",
                fmt::format("{} was detached from the host by an administrator", address_),
                {"give it back first (NodeDevice.ReAttach)", "say managed='no' for it"});
            return;
        }
        for (const OtherGuest& other : others_) {
            for (const HostFunction& theirs : other.functions) {
                if (other.holder != holder_ && same_place(theirs.address, function_.address)) {
                    add_used(fmt::format("guest '{}' ({})", other.name, theirs.element));
                    return;
                }
            }
        }
        for (const GroupMemberFacts& member : facts_.members) {
            if (!member.holder.empty() && member.holder != holder_ && member.address != address_) {
                add(ErrorCode::resource_busy,
                    "in-use-by-guest",
                    fmt::format("{} of IOMMU group {}, in which {} is too, is in use by {}: one "
                                "guest has a group",
                                member.address,
                                facts_.group,
                                address_,
                                guest_named(member.holder)),
                    {"end that guest"});
                return;
            }
        }
    }

    void check_binding() {
        const bool bound = facts_.driver.find("vfio") != std::string::npos;
        if (!function_.managed && !bound) {
            add(ErrorCode::operation_invalid,
                "not-bound",
                fmt::format("managed='no' and {} is with {}, not with vfio-pci",
                            address_,
                            facts_.driver.empty() ? "no driver"
                                                  : fmt::format("driver '{}'", facts_.driver)),
                {"say managed='yes', and it is taken from the host for the guest's life",
                 "detach it before (NodeDevice.Detach)"});
        }
    }

    void check_uses() {
        if (!facts_.uses.empty()) {
            add(ErrorCode::resource_busy,
                "in-use-by-host",
                fmt::format("{} is in use by the host: {}", address_, fmt::join(facts_.uses, ", ")),
                {"let the host stop using it (umount, swapoff, vgchange -an, mdadm --stop)"});
        }
    }

    void check_namespace() {
        if (!function_.nvme() || !facts_.namespaces) {
            return;
        }
        const auto space =
            std::ranges::find(*facts_.namespaces, function_.namespace_id, &NamespaceFacts::id);
        if (space == facts_.namespaces->end()) {
            std::vector<uint32_t> ids;
            std::ranges::transform(
                *facts_.namespaces, std::back_inserter(ids), &NamespaceFacts::id);
            std::ranges::sort(ids);
            add(ErrorCode::config_unsupported,
                "no-namespace",
                fmt::format("controller {} has no namespace {}, it has {}",
                            address_,
                            function_.namespace_id,
                            ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, ", "))),
                {"name one of these", "make one: nvme create-ns, nvme attach-ns"});
            return;
        }
        const bool metadata = space->metadata_bytes.value_or(0) != 0;
        if (metadata || space->lba_bytes > largest_lba_bytes) {
            add(ErrorCode::config_unsupported,
                "namespace-format",
                metadata
                    ? fmt::format("namespace {} of {} has {} bytes of metadata beside each block, "
                                  "which QEMU's NVMe driver cannot",
                                  space->id,
                                  address_,
                                  *space->metadata_bytes)
                    : fmt::format("namespace {} of {} has blocks of {} bytes, QEMU's NVMe driver "
                                  "takes at most {}",
                                  space->id,
                                  address_,
                                  space->lba_bytes,
                                  largest_lba_bytes),
                {whole_controller_way, "format it otherwise, which erases it: nvme format --lbaf"});
        }
    }

    const std::vector<HostFunction>& all_;
    const HostFunction& function_;
    const FunctionFacts& facts_;
    const std::vector<OtherGuest>& others_;
    const std::string& holder_;
    std::vector<Obstacle>& found_;
    std::string address_;
};

} // namespace

void add_function_obstacles(const std::vector<HostFunction>& all,
                            const HostFunction& function,
                            const FunctionFacts& facts,
                            const std::vector<OtherGuest>& others,
                            const std::string& holder,
                            std::vector<Obstacle>& found) {
    FunctionCheck(all, function, facts, others, holder, found).run();
}

} // namespace vireo::qemu
