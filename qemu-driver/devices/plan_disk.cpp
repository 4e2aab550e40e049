// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_disk.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/scsi_place.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

std::string copy_on_read_node(const DiskDef& disk) {
    return fmt::format("libvirt-CoR-{}", disk.target.dev);
}

bool copies_on_read(const DiskDef& disk) {
    return disk.driver.copy_on_read == OnOff::on;
}

const DriveAddress& drive_address(const DiskDef& disk) {
    const DriveAddress* at = disk.info.drive();
    if (!at) {
        throw Error(ErrorCode::config_unsupported,
                    "disk '{}': bus '{}' needs an address of type 'drive'",
                    disk.target.dev,
                    name_of(disk.target.bus.value_or(DiskBus::none)));
    }
    return *at;
}

void add_ide_place(const PlanContext& context, const DiskDef& disk, json& device) {
    const DriveAddress& at = drive_address(disk);
    device["bus"] = fmt::format(
        "{}.{}",
        controller_alias(context.def, ControllerType::ide, at.controller, disk.target.dev),
        at.bus);
    device["unit"] = at.unit;
}

void add_sata_place(const PlanContext& context, const DiskDef& disk, json& device) {
    const DriveAddress& at = drive_address(disk);
    device["bus"] = fmt::format(
        "{}.{}",
        controller_alias(context.def, ControllerType::sata, at.controller, disk.target.dev),
        at.unit);
}

void add_disk_place(const PlanContext& context, const DiskDef& disk, json& device) {
    add_scsi_place(context, drive_address(disk), disk.target.dev, device);
    if (disk.device != DiskDevice::lun) {
        // The guest sees this as the device's identity; QEMU would take the node's name, which
        // changes with snapshots.
        device["device_id"] = disk.serial ? *disk.serial : "drive-" + alias_of(disk.info);
    }
}

const char* scsi_driver(DiskDevice device) {
    switch (device) {
    case DiskDevice::lun:
        return "scsi-block";
    case DiskDevice::cdrom:
        return "scsi-cd";
    default:
        return "scsi-hd";
    }
}

VirtioModel virtio_model(const DiskDef& disk) {
    switch (disk.model.value_or(DiskModel::virtio)) {
    case DiskModel::virtio_transitional:
        return VirtioModel::virtio_transitional;
    case DiskModel::virtio_non_transitional:
        return VirtioModel::virtio_non_transitional;
    case DiskModel::virtio:
        break;
    }
    return VirtioModel::virtio;
}

void add_queues(const DiskDef& disk, json& device) {
    if (disk.driver.queues) {
        device["num-queues"] = *disk.driver.queues;
    }
    if (disk.driver.queue_size) {
        device["queue-size"] = *disk.driver.queue_size;
    }
}

json virtio_device(const PlanContext& context, const DiskDef& disk) {
    json device = json::object();
    device["driver"] = virtio_device("virtio-blk", disk.info, virtio_model(disk));
    if (disk.driver.iothread) {
        device["iothread"] = fmt::format("iothread{}", *disk.driver.iothread);
    }
    if (disk.device == DiskDevice::lun) {
        if (!context.caps.has_property("virtio-blk-pci", "scsi")) {
            throw Error(ErrorCode::config_unsupported,
                        "disk '{}': device 'lun' on bus 'virtio' is gone from '{}', use bus 'scsi'",
                        disk.target.dev,
                        context.caps.binary);
        }
        device["scsi"] = true;
    }
    set_on_off(device, "ioeventfd", disk.driver.ioeventfd);
    set_on_off(device, "event_idx", disk.driver.event_idx);
    add_queues(disk, device);
    add_virtio_options(device, disk.driver.virtio);
    add_address(context, device, disk.info);
    return device;
}

json bus_device(const PlanContext& context, const DiskDef& disk) {
    json device = json::object();
    switch (disk.target.bus.value_or(DiskBus::none)) {
    case DiskBus::virtio:
        return virtio_device(context, disk);
    case DiskBus::ide:
        device["driver"] = disk.device == DiskDevice::cdrom ? "ide-cd" : "ide-hd";
        add_ide_place(context, disk, device);
        return device;
    case DiskBus::sata:
        device["driver"] = disk.device == DiskDevice::cdrom ? "ide-cd" : "ide-hd";
        add_sata_place(context, disk, device);
        return device;
    case DiskBus::scsi:
        device["driver"] = scsi_driver(disk.device);
        add_disk_place(context, disk, device);
        return device;
    case DiskBus::usb:
        device["driver"] = "usb-storage";
        device["removable"] = disk.target.removable == YesNo::yes;
        add_address(context, device, disk.info);
        return device;
    case DiskBus::fdc:
        device["driver"] = "floppy";
        device["unit"] = drive_address(disk).unit;
        return device;
    default:
        throw Error(ErrorCode::config_unsupported,
                    "disk '{}': bus '{}' is not supported",
                    disk.target.dev,
                    name_of(disk.target.bus.value_or(DiskBus::none)));
    }
}

/// QEMU's word for what happens on an I/O error; empty for its default.
std::string_view policy_word(std::optional<ErrorPolicy> policy) {
    if (!policy || *policy == ErrorPolicy::default_) {
        return {};
    }
    return *policy == ErrorPolicy::enospace ? "enospc" : name_of(*policy);
}

void add_error_policies(const DiskDef& disk, json& device) {
    const auto on_write = policy_word(disk.driver.error_policy);
    auto on_read = policy_word(disk.driver.rerror_policy);
    if (on_read.empty() && on_write != "enospc") { // reading needs no space
        on_read = on_write;
    }
    if (!on_write.empty()) {
        device["werror"] = on_write;
    }
    if (!on_read.empty()) {
        device["rerror"] = on_read;
    }
}

void add_geometry(const DiskDef& disk, json& device) {
    if (!disk.geometry) {
        return;
    }
    device["cyls"] = disk.geometry->cylinders;
    device["heads"] = disk.geometry->heads;
    device["secs"] = disk.geometry->sectors;
    const auto translation = disk.geometry->translation.value_or(GeometryTranslation::default_);
    if (translation != GeometryTranslation::default_) {
        device["bios-chs-trans"] = name_of(translation);
    }
}

/// Guests that share an image must not see each other's data late.
std::optional<DiskCache> cache_of(const DiskDef& disk) {
    const bool open = disk.driver.cache.value_or(DiskCache::default_) == DiskCache::default_;
    return open && disk.shareable && !disk.readonly ? DiskCache::none : disk.driver.cache;
}

/// The guest-visible cache must agree with how the host caches: a guest that sees no write cache
/// does not flush.
void add_write_cache(const DiskDef& disk, json& device) {
    const auto cache = cache_of(disk).value_or(DiskCache::default_);
    if (cache != DiskCache::default_ && disk.device != DiskDevice::lun &&
        disk.target.bus != DiskBus::fdc) {
        const bool through = cache == DiskCache::writethrough || cache == DiskCache::directsync;
        device["write-cache"] = through ? "off" : "on";
    }
}

void add_identity(const DiskDef& disk, json& device) {
    if (disk.wwn) {
        device["wwn"] = std::stoull(*disk.wwn, nullptr, 16);
    }
    if (disk.vendor) {
        device["vendor"] = *disk.vendor;
    }
    if (disk.product) {
        device["product"] = *disk.product;
    }
    if (disk.serial) {
        device["serial"] = *disk.serial;
    }
    if (disk.target.rotation_rate) {
        device["rotation_rate"] = *disk.target.rotation_rate;
    }
}

json disk_device(const PlanContext& context, const DiskDef& disk) {
    json device = bus_device(context, disk);
    device["id"] = alias_of(disk.info);
    if (!disk.image.is_empty()) {
        device["drive"] =
            copies_on_read(disk) ? copy_on_read_node(disk) : node_names(disk.image).format;
    }
    if (disk.shareable) {
        device["share-rw"] = true;
    }
    if (disk.target.bus != DiskBus::fdc) { // a floppy drive's is on its controller
        add_boot_index(context, device, disk.info);
    }
    if (disk.blockio && disk.blockio->logical_block_size) {
        device["logical_block_size"] = *disk.blockio->logical_block_size;
    }
    if (disk.blockio && disk.blockio->physical_block_size) {
        device["physical_block_size"] = *disk.blockio->physical_block_size;
    }
    add_identity(disk, device);
    add_geometry(disk, device);
    add_write_cache(disk, device);
    add_error_policies(disk, device);
    return device;
}

NodeOptions chain_options(const DiskDef& disk) {
    NodeOptions options;
    options.is_cdrom = disk.device == DiskDevice::cdrom;
    options.is_floppy = disk.device == DiskDevice::floppy;
    options.cache = cache_of(disk);
    options.io = disk.driver.io;
    return options;
}

} // namespace

namespace {

/// The disk's chain with what may stand beside `<source>` put into it.
DiskImage joined_image(const DiskDef& disk) {
    DiskImage image = disk.image;
    if (const AuthDef* auth = disk.auth()) {
        image.auth = *auth;
    }
    if (const EncryptionDef* encryption = disk.encryption()) {
        image.encryption = *encryption;
    }
    return image;
}

/// A disk that another process serves: QEMU has no block node of it.
Plan plan_vhost_user(const PlanContext& context, const DiskDef& disk) {
    const auto& source = std::get<VhostUserSource>(disk.image.source);
    const std::string& alias = alias_of(disk.info);
    const ChardevNames names{"chr-vu-" + alias, alias, {}};
    Plan plan = plan_chardev(context, socket_client(source.path, source.reconnect), names);
    json device = json::object();
    device["driver"] = virtio_device("vhost-user-blk", disk.info, virtio_model(disk));
    require_type(context, "vhost-user-blk-pci", "disk type 'vhostuser'");
    add_virtio_options(device, disk.driver.virtio);
    add_queues(disk, device);
    add_address(context, device, disk.info);
    device["chardev"] = names.id;
    device["id"] = alias;
    add_boot_index(context, device, disk.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace

Plan plan_disk_images(const PlanContext& context, const DiskDef& disk, const NameImage& names_of) {
    const DiskImage joined = joined_image(disk);
    std::vector<const DiskImage*> chain;
    for (const DiskImage* image = &joined; image != nullptr; image = image->base()) {
        chain.push_back(image);
    }
    std::optional<std::string> below;
    if (chain.back()->backing) {
        below = ""; // it names an image, and an empty one at that: the chain ends here
    }
    Plan plan;
    for (auto image = chain.rbegin(); image != chain.rend(); ++image) {
        const bool top = *image == &joined;
        NodeOptions options = chain_options(disk);
        options.read_only = top ? disk.readonly : true;
        options.backing = below;
        if (top) {
            options.discard = disk.driver.discard;
            options.detect_zeroes = disk.driver.detect_zeroes;
        }
        const NodeNames names = names_of(**image);
        append(plan, plan_image(context, **image, names, options));
        below = names.format;
    }
    return plan;
}

Plan plan_disk(const PlanContext& context, const DiskDef& disk) {
    if (disk.image.type() == DiskType::vhostuser) {
        return plan_vhost_user(context, disk);
    }
    Plan plan;
    if (!disk.image.is_empty()) {
        plan = plan_disk_images(context, disk);
        if (copies_on_read(disk)) {
            json filter = json::object();
            filter["driver"] = "copy-on-read";
            filter["node-name"] = copy_on_read_node(disk);
            filter["file"] = node_names(disk.image).format;
            filter["discard"] = "unmap";
            plan.push_back(blockdev_step(std::move(filter)));
        }
    }
    plan.push_back(device_step(disk_device(context, disk)));
    return plan;
}

} // namespace vireo::qemu
