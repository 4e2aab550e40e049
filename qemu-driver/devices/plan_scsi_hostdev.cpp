// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/devices/plan_hostdev.hpp"
#include "qemu-driver/devices/scsi_place.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

const ScsiHostNode& node_of(const PlanContext& context, const HostdevDef& hostdev) {
    const auto found = context.facts.scsi_nodes.find(alias_of(hostdev.info));
    if (found == context.facts.scsi_nodes.end()) {
        throw Error(ErrorCode::internal,
                    "hostdev '{}': its block node has not been chosen yet",
                    alias_of(hostdev.info));
    }
    return found->second;
}

NodeNames backend_names(const ScsiHostNode& node) {
    NodeNames names;
    names.storage = fmt::format("libvirt-{}-backend", node.number);
    names.auth_secret = names.storage + "-secret0";
    return names;
}

/// The LUN as a disk's image, whose plan knows how to log in.
DiskImage iscsi_image(const ScsiHostdev& scsi) {
    NetworkSource source;
    source.protocol = NetworkProtocol::iscsi;
    source.name = scsi.name;
    source.hosts = scsi.hosts;
    source.initiator_iqn = scsi.initiator_iqn;
    DiskImage image;
    image.source = std::move(source);
    image.auth = scsi.auth;
    return image;
}

json local_node(const std::string& path) {
    json node = json::object();
    node["driver"] = "host_device";
    node["filename"] = path;
    return node;
}

} // namespace

Plan plan_scsi_hostdev(const PlanContext& context,
                       const HostdevDef& hostdev,
                       const ScsiHostdev& scsi) {
    require_type(context, "scsi-generic", "hostdev type 'scsi'");
    const ScsiHostNode& place = node_of(context, hostdev);
    const NodeNames names = backend_names(place);
    Plan plan;
    json node;
    if (scsi.protocol == ScsiProtocol::iscsi) {
        const DiskImage image = iscsi_image(scsi);
        plan = plan_image_objects(context, image, names);
        node = storage_source(context, image, names, {});
    } else {
        node = local_node(place.generic);
    }
    node["node-name"] = names.storage;
    node["read-only"] = hostdev.readonly;
    plan.push_back(blockdev_step(std::move(node)));

    json device = json::object();
    device["driver"] = "scsi-generic";
    device["drive"] = names.storage;
    device["id"] = alias_of(hostdev.info);
    add_boot_index(context, device, hostdev.info);
    const DriveAddress* at = hostdev.info.drive();
    if (!at) {
        throw Error(ErrorCode::config_unsupported,
                    "hostdev '{}': a SCSI device needs an address of type 'drive'",
                    alias_of(hostdev.info));
    }
    add_scsi_place(context, *at, alias_of(hostdev.info), device);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
