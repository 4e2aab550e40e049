// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/disk_throttle.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

// virtio-blk's PCI device and usb-storage have the block device in a device below them. Source:
// QEMU, hw/virtio/virtio-pci.c and scsi_bus_legacy_add_drive() in hw/scsi/scsi-bus.c.
std::string block_device_of(const DiskDef& disk) {
    const std::string& alias = disk.info.alias.value();
    switch (disk.target.bus.value_or(DiskBus::none)) {
    case DiskBus::virtio:
        return fmt::format("/machine/peripheral/{}/virtio-backend", alias);
    case DiskBus::usb:
        return fmt::format("/machine/peripheral/{0}/{0}.0/legacy[0]", alias);
    default:
        return alias;
    }
}

std::optional<json> throttle_arguments(const DiskDef& disk) {
    if (!disk.iotune || disk.image.is_empty()) {
        return std::nullopt;
    }
    const DiskIotune& t = *disk.iotune;
    bool any = false;
    json arguments = json::object();
    const auto limit = [&](const char* name, const std::optional<uint64_t>& value) {
        any |= value.value_or(0) != 0;
        arguments[name] = value.value_or(0);
    };
    const auto option = [&](const char* name, const std::optional<uint64_t>& value) {
        if (value.value_or(0) != 0) {
            any = true;
            arguments[name] = *value;
        }
    };
    limit("bps", t.total_bytes_sec);
    limit("bps_rd", t.read_bytes_sec);
    limit("bps_wr", t.write_bytes_sec);
    limit("iops", t.total_iops_sec);
    limit("iops_rd", t.read_iops_sec);
    limit("iops_wr", t.write_iops_sec);
    option("bps_max", t.total_bytes_sec_max);
    option("bps_rd_max", t.read_bytes_sec_max);
    option("bps_wr_max", t.write_bytes_sec_max);
    option("iops_max", t.total_iops_sec_max);
    option("iops_rd_max", t.read_iops_sec_max);
    option("iops_wr_max", t.write_iops_sec_max);
    option("bps_max_length", t.total_bytes_sec_max_length);
    option("bps_rd_max_length", t.read_bytes_sec_max_length);
    option("bps_wr_max_length", t.write_bytes_sec_max_length);
    option("iops_max_length", t.total_iops_sec_max_length);
    option("iops_rd_max_length", t.read_iops_sec_max_length);
    option("iops_wr_max_length", t.write_iops_sec_max_length);
    option("iops_size", t.size_iops_sec);
    if (!any) {
        return std::nullopt;
    }
    arguments["id"] = block_device_of(disk);
    if (t.group_name) {
        arguments["group"] = *t.group_name;
    }
    return arguments;
}

} // namespace vireo::qemu
