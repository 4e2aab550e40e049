// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

namespace {

struct OneOrZero {
    std::string parse(std::string_view text, bool& out) const {
        return xml::detail::parse_bool(text, "1", "0", out);
    }

    void format(const bool& value, std::string& out) const { out += value ? '1' : '0'; }
};

} // namespace

static const xml::Type& describe(const RemovableMedia*) {
    static const xml::Type type = xml::element<RemovableMedia>(
        "capability",
        nested_type<RemovableMedia>(),
        xml::text("media_available", &RemovableMedia::available, OneOrZero{}).optional(),
        xml::text("media_size", &RemovableMedia::size),
        known("media_label", &RemovableMedia::label),
        known("logical_block_size", &RemovableMedia::logical_block_size),
        known("num_blocks", &RemovableMedia::num_blocks));
    return type;
}

static const xml::Type& describe(const Hotpluggable*) {
    static const xml::Type type =
        xml::element<Hotpluggable>("capability", nested_type<Hotpluggable>());
    return type;
}

const xml::Type& describe(const StorageCapability*) {
    constexpr auto fixed = [](const StorageCapability& storage) { return !storage.removable; };
    static const xml::Type type = xml::element<StorageCapability>(
        "capability",
        xml::text("block", &StorageCapability::block),
        known("bus", &StorageCapability::bus),
        known("drive_type", &StorageCapability::drive_type),
        known("model", &StorageCapability::model),
        known("vendor", &StorageCapability::vendor),
        known("serial", &StorageCapability::serial),
        xml::text("size", &StorageCapability::size).optional().write_if(fixed),
        known("logical_block_size", &StorageCapability::logical_block_size).write_if(fixed),
        known("num_blocks", &StorageCapability::num_blocks).write_if(fixed),
        nested<StorageCapability,
               &StorageCapability::removable,
               &StorageCapability::hotpluggable,
               &StorageCapability::nvme_namespace>());
    return type;
}

} // namespace vireo::nodedev
