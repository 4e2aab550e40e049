// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/disk_def.hpp"
#include "qemu-driver/model/disk_source_xml.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const DiskDriver*) {
    static const xml::Type type =
        xml::element<DiskDriver>("driver",
                                 xml::attr("name", &DiskDriver::name),
                                 xml::attr("cache", &DiskDriver::cache),
                                 xml::attr("error_policy", &DiskDriver::error_policy),
                                 xml::attr("rerror_policy", &DiskDriver::rerror_policy),
                                 xml::attr("io", &DiskDriver::io),
                                 xml::attr("ioeventfd", &DiskDriver::ioeventfd),
                                 xml::attr("event_idx", &DiskDriver::event_idx),
                                 xml::attr("copy_on_read", &DiskDriver::copy_on_read),
                                 xml::attr("discard", &DiskDriver::discard),
                                 xml::attr("iothread", &DiskDriver::iothread),
                                 xml::attr("detect_zeroes", &DiskDriver::detect_zeroes),
                                 xml::attr("queues", &DiskDriver::queues),
                                 xml::attr("queue_size", &DiskDriver::queue_size),
                                 xml::embed(&DiskDriver::virtio));
    return type;
}

namespace {

/// `on` and `off`, where other elements have yes and no.
struct Removable {
    std::string parse(std::string_view text, YesNo& out) const {
        bool value = false;
        std::string wrong = xml::on_off.parse(text, value);
        out = value ? YesNo::yes : YesNo::no;
        return wrong;
    }

    void format(const YesNo& value, std::string& out) const {
        xml::on_off.format(value == YesNo::yes, out);
    }
};

} // namespace

static const xml::Type& describe(const DiskTarget*) {
    static const xml::Type type =
        xml::element<DiskTarget>("target",
                                 xml::attr("dev", &DiskTarget::dev),
                                 xml::attr("bus", &DiskTarget::bus),
                                 xml::attr("tray", &DiskTarget::tray),
                                 xml::attr("removable", &DiskTarget::removable, Removable{}),
                                 xml::attr("rotation_rate", &DiskTarget::rotation_rate));
    return type;
}

static const xml::Type& describe(const DiskGeometry*) {
    static const xml::Type type =
        xml::element<DiskGeometry>("geometry",
                                   xml::attr("cyls", &DiskGeometry::cylinders),
                                   xml::attr("heads", &DiskGeometry::heads),
                                   xml::attr("secs", &DiskGeometry::sectors),
                                   xml::attr("trans", &DiskGeometry::translation));
    return type;
}

static const xml::Type& describe(const DiskBlockIo*) {
    static const xml::Type type = xml::element<DiskBlockIo>(
        "blockio",
        xml::attr("logical_block_size", &DiskBlockIo::logical_block_size),
        xml::attr("physical_block_size", &DiskBlockIo::physical_block_size));
    return type;
}

static const xml::Type& describe(const DiskIotune*) {
    static const xml::Type type = xml::element<DiskIotune>(
        "iotune",
        xml::text("total_bytes_sec", &DiskIotune::total_bytes_sec),
        xml::text("read_bytes_sec", &DiskIotune::read_bytes_sec),
        xml::text("write_bytes_sec", &DiskIotune::write_bytes_sec),
        xml::text("total_iops_sec", &DiskIotune::total_iops_sec),
        xml::text("read_iops_sec", &DiskIotune::read_iops_sec),
        xml::text("write_iops_sec", &DiskIotune::write_iops_sec),
        xml::text("total_bytes_sec_max", &DiskIotune::total_bytes_sec_max),
        xml::text("read_bytes_sec_max", &DiskIotune::read_bytes_sec_max),
        xml::text("write_bytes_sec_max", &DiskIotune::write_bytes_sec_max),
        xml::text("total_iops_sec_max", &DiskIotune::total_iops_sec_max),
        xml::text("read_iops_sec_max", &DiskIotune::read_iops_sec_max),
        xml::text("write_iops_sec_max", &DiskIotune::write_iops_sec_max),
        xml::text("size_iops_sec", &DiskIotune::size_iops_sec),
        xml::text("group_name", &DiskIotune::group_name),
        xml::text("total_bytes_sec_max_length", &DiskIotune::total_bytes_sec_max_length),
        xml::text("read_bytes_sec_max_length", &DiskIotune::read_bytes_sec_max_length),
        xml::text("write_bytes_sec_max_length", &DiskIotune::write_bytes_sec_max_length),
        xml::text("total_iops_sec_max_length", &DiskIotune::total_iops_sec_max_length),
        xml::text("read_iops_sec_max_length", &DiskIotune::read_iops_sec_max_length),
        xml::text("write_iops_sec_max_length", &DiskIotune::write_iops_sec_max_length));
    return type;
}

static const xml::Type& describe(const DiskMirror*) {
    static const xml::Type type = xml::element<DiskMirror>(
        "mirror",
        xml::embed(&DiskMirror::image,
                   image_type(),
                   xml::group("format", xml::attr("type", &DiskImage::format)),
                   top_image_source(),
                   xml::child(&DiskImage::backing)),
        xml::attr("job", &DiskMirror::job),
        xml::attr("ready", &DiskMirror::ready));
    return type;
}

static const xml::Type& describe(const TransientDef*) {
    static const xml::Type type = xml::element<TransientDef>(
        "transient", xml::attr("shareBacking", &TransientDef::share_backing));
    return type;
}

const xml::Type& describe(const DiskDef*) {
    static const xml::Type type = xml::element<DiskDef>(
        "disk",
        xml::embed(&DiskDef::image, image_type()),
        xml::attr("device", &DiskDef::device).optional(),
        xml::attr("model", &DiskDef::model),
        xml::attr("rawio", &DiskDef::rawio),
        xml::attr("sgio", &DiskDef::sgio),
        xml::attr("snapshot", &DiskDef::snapshot),
        xml::group("driver",
                   xml::embed(&DiskDef::driver),
                   xml::embed(&DiskDef::image,
                              xml::attr("type", &DiskImage::format),
                              image_metadata_cache())),
        xml::child("auth", &DiskDef::outer_auth),
        xml::embed(&DiskDef::image, top_image_source(), xml::child(&DiskImage::backing)),
        xml::group("backenddomain", xml::attr("name", &DiskDef::backend_domain)),
        xml::child(&DiskDef::geometry),
        xml::child(&DiskDef::blockio),
        xml::child(&DiskDef::mirror),
        xml::child(&DiskDef::target),
        xml::child(&DiskDef::iotune),
        xml::flag("readonly", &DiskDef::readonly),
        xml::flag("shareable", &DiskDef::shareable),
        xml::child(&DiskDef::transient),
        xml::text("serial", &DiskDef::serial),
        xml::text("wwn", &DiskDef::wwn),
        xml::text("vendor", &DiskDef::vendor),
        xml::text("product", &DiskDef::product),
        xml::child("encryption", &DiskDef::outer_encryption),
        xml::embed(&DiskDef::info));
    return type;
}

} // namespace vireo::qemu
