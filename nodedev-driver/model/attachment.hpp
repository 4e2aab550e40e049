// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "nodedev-driver/model/device_use.hpp"
#include "nodedev-driver/model/pci_capability.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The ways in which a guest can have an NVMe namespace or controller. Plain data and pure
/// functions.
namespace vireo::nodedev {

/// `nvme`: `<disk type='nvme'>`, QEMU's own driver over VFIO. `hostdev`: the whole PCI function.
/// `block`: the host's block device. `nvme_io_uring`: QEMU's driver of that name on the namespace's
/// generic device. In the order in which they are preferred where nothing else decides.
enum class AttachKind { nvme, hostdev, block, nvme_io_uring };

/// What somebody may want of an attachment.
enum class AttachWish {
    /// The guest gets this namespace alone, and the host keeps the controller's others.
    namespace_only,
    live_migration,
    snapshots,
    lowest_latency,
    /// The guest may have `<memory model='virtio-mem'>` beside it.
    virtio_mem,
    /// The controller stays with the host's driver.
    keep_host_driver
};

/// What stands in an attachment's way now.
enum class ObstacleKind {
    in_use,
    held,
    no_iommu,
    group,
    driver,
    virtual_functions,
    metadata_format,
    lba_size,
    several_namespaces
};

struct Obstacle {
    ObstacleKind kind{};
    std::string text;
    std::string way_out;

    bool operator==(const Obstacle&) const = default;
};

/// One way. `device` is the name of what the guest gets: the namespace, or the PCI function.
struct Attachment {
    AttachKind kind{};
    std::string device;
    /// An element for `<devices>`; `<qemu:commandline>` stands in `<domain>` itself.
    std::string xml;
    std::vector<AttachWish> gives_up;
    std::vector<std::string> notes;
    std::vector<Obstacle> obstacles;
};

/// A namespace as PlanAttach sees it.
struct SpaceFacts {
    std::string name;
    uint32_t id{};
    /// A name of the block device that stays the same, where udev made one.
    std::string block;
    /// Empty where there is none.
    std::string generic;
    uint32_t lba_size{};
    std::optional<uint32_t> metadata_size;
    std::vector<DeviceUse> uses;
};

/// A controller, or the PCI function that one is when the host's driver is bound.
struct ControllerFacts {
    /// The PCI function's name and address; none for a controller that is reached over a network.
    std::string function;
    std::optional<PciAddress> address;
    /// Empty: none is bound.
    std::string host_driver;
    /// Who has it; nothing: nobody. Empty: an administrator.
    std::optional<std::string> holder;
    bool iommu{};
    /// `IOMMU group 7: …` where another member of the group is with a host driver.
    std::string blocked_group;
    size_t virtual_functions{};
    /// Of the controller itself: processes that have its node open.
    std::vector<DeviceUse> uses;
    /// All that it reaches.
    std::vector<SpaceFacts> spaces;
};

struct AttachRequest {
    std::vector<AttachWish> wishes;
    /// Name of the namespace that is asked for; empty: the controller.
    std::string space;
    /// The disk's name in the guest, `<target dev=>`.
    std::string target = "vda";
    /// Has the host's QEMU the driver nvme-io_uring?
    bool io_uring{};
};

/// All ways, best first: by the wishes that they do not grant, then those that nothing stands in
/// the way of, then by AttachKind, where the lowest latency is wished by speed.
std::vector<Attachment> plan_attachments(const ControllerFacts& facts,
                                         const AttachRequest& request);

/// `<disk type='nvme'>` of a namespace.
std::string nvme_disk_xml(const PciAddress& controller, uint32_t space, const std::string& target);
/// `<disk type='block'>`.
std::string block_disk_xml(const std::string& path, const std::string& target);
/// `<hostdev>` of a PCI function.
std::string pci_hostdev_xml(const PciAddress& address);
/// `<qemu:commandline>` with a disk that libvirt's XML has no words for.
std::string io_uring_disk_xml(const std::string& generic, const std::string& target);

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::AttachKind> {
    static constexpr std::array<std::string_view, 4> names{
        "nvme", "hostdev", "block", "nvme-io_uring"};
};

template <>
struct vireo::xml::EnumNames<vireo::nodedev::AttachWish> {
    static constexpr std::array<std::string_view, 6> names{"namespace-only",
                                                           "live-migration",
                                                           "snapshots",
                                                           "lowest-latency",
                                                           "virtio-mem",
                                                           "keep-host-driver"};
};

template <>
struct vireo::xml::EnumNames<vireo::nodedev::ObstacleKind> {
    static constexpr std::array<std::string_view, 9> names{"in-use",
                                                           "held",
                                                           "no-iommu",
                                                           "group",
                                                           "driver",
                                                           "virtual-functions",
                                                           "metadata-format",
                                                           "lba-size",
                                                           "several-namespaces"};
};
