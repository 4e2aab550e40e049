// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memory_device_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const MemoryDeviceSource*) {
    static const xml::Type type = xml::element<MemoryDeviceSource>(
        "source",
        xml::text("pagesize", &MemoryDeviceSource::page_size_kib, xml::kib),
        xml::text("nodemask", &MemoryDeviceSource::nodemask),
        xml::text("path", &MemoryDeviceSource::path),
        xml::text("alignsize", &MemoryDeviceSource::align_size_kib, xml::kib),
        xml::flag("pmem", &MemoryDeviceSource::pmem));
    return type;
}

const xml::Type& describe(const MemoryDeviceDef*) {
    static const xml::Type type = xml::element<MemoryDeviceDef>(
        "memory",
        xml::attr("model", &MemoryDeviceDef::model),
        xml::attr("access", &MemoryDeviceDef::access),
        xml::attr("discard", &MemoryDeviceDef::discard),
        xml::text("uuid", &MemoryDeviceDef::uuid, xml::uuid),
        xml::child(&MemoryDeviceDef::source),
        xml::group(
            "target",
            xml::text("size", &MemoryDeviceDef::size_kib, xml::kib),
            xml::text("node", &MemoryDeviceDef::node),
            xml::group("label", xml::text("size", &MemoryDeviceDef::label_size_kib, xml::kib)),
            xml::flag("readonly", &MemoryDeviceDef::readonly),
            xml::text("block", &MemoryDeviceDef::block_kib, xml::kib),
            xml::text("requested", &MemoryDeviceDef::requested_kib, xml::kib),
            xml::text("current", &MemoryDeviceDef::current_kib, xml::kib)),
        xml::embed(&MemoryDeviceDef::info));
    return type;
}

} // namespace vireo::qemu
