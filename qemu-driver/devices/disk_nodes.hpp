// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// Names of the block nodes of one image, and of the objects that they use. `format` is the one
/// above, which a device or the next image refers to; `slice` is there only when a format lies in a
/// part of its storage. A guest that was started by another program may have other names.
struct NodeNames {
    std::string storage;
    std::string slice;
    std::string format;
    std::string auth_secret;
    std::string encryption_secret;
    std::string cookie_secret;
    std::string tls_credentials;
    std::string reservations;
};

/// The helper for persistent reservations that the daemon runs for all of a guest's disks.
constexpr const char* managed_reservations = "pr-helper0";

/// True when a disk's image lets that helper reserve.
bool uses_managed_reservations(const DiskImage& image);
Step managed_reservations_step(const PlanContext& context);

/// How an image of a chain is opened, beyond what the image itself says.
struct NodeOptions {
    bool read_only = false;
    bool is_cdrom = false;
    bool is_floppy = false;
    std::optional<DiskCache> cache;
    std::optional<DiskIo> io;
    std::optional<DiskDiscard> discard;        ///< of the image that the guest sees
    std::optional<DetectZeroes> detect_zeroes; ///< of the image that the guest sees
    /// Node of the image below; "" where the chain is known to end here, so that QEMU does not
    /// follow what the image's header claims; absent where the chain's end is not known.
    std::optional<std::string> backing;
};

/// `libvirt-N-storage` and so on, where N is the image's number.
/// Throws internal when `assign_node_numbers` has not run.
NodeNames node_names(const DiskImage& image);
/// The same with another stem than `libvirt-N`.
NodeNames node_names(const std::string& stem);

/// Secrets, certificates and the like that the nodes of the image refer to.
Plan plan_image_objects(const PlanContext& context, const DiskImage& image, const NodeNames& names);

/// The objects and blockdevs of one image, storage first.
Plan plan_image(const PlanContext& context,
                const DiskImage& image,
                const NodeNames& names,
                const NodeOptions& options);

/// The properties of the storage node without name and cache: the driver and where the bytes are.
nlohmann::json storage_source(const PlanContext& context,
                              const DiskImage& image,
                              const NodeNames& names,
                              const NodeOptions& options);

/// The same for an image behind a network protocol.
nlohmann::json
network_source(const PlanContext& context, const DiskImage& image, const NodeNames& names);

} // namespace vireo::qemu
