// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/writer.hpp"
#include "nodedev-driver/model/attachment.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <initializer_list>
#include <utility>

namespace vireo::nodedev {

namespace {

using Words = std::initializer_list<std::pair<std::string_view, std::string>>;

void open_with(xml::Writer& writer, std::string_view name, Words attributes) {
    writer.open(name);
    for (const auto& [attribute, value] : attributes) {
        writer.attribute(attribute, value);
    }
}

void leaf(xml::Writer& writer, std::string_view name, Words attributes) {
    open_with(writer, name, attributes);
    writer.close();
}

void write_address(xml::Writer& writer, const PciAddress& address) {
    leaf(writer,
         "address",
         {{"domain", fmt::format("0x{:04x}", address.domain)},
          {"bus", fmt::format("0x{:02x}", address.bus)},
          {"slot", fmt::format("0x{:02x}", address.slot)},
          {"function", fmt::format("0x{:x}", address.function)}});
}

} // namespace

std::string nvme_disk_xml(const PciAddress& controller, uint32_t space, const std::string& target) {
    xml::Writer writer;
    open_with(writer, "disk", {{"type", "nvme"}, {"device", "disk"}});
    leaf(writer, "driver", {{"name", "qemu"}, {"type", "raw"}});
    open_with(writer,
              "source",
              {{"type", "pci"}, {"managed", "yes"}, {"namespace", fmt::format("{}", space)}});
    write_address(writer, controller);
    writer.close();
    leaf(writer, "target", {{"dev", target}, {"bus", "virtio"}});
    writer.close();
    return writer.take();
}

std::string block_disk_xml(const std::string& path, const std::string& target) {
    xml::Writer writer;
    open_with(writer, "disk", {{"type", "block"}, {"device", "disk"}});
    leaf(writer,
         "driver",
         {{"name", "qemu"},
          {"type", "raw"},
          {"cache", "none"},
          {"io", "native"},
          {"discard", "unmap"}});
    leaf(writer, "source", {{"dev", path}});
    leaf(writer, "target", {{"dev", target}, {"bus", "virtio"}});
    writer.close();
    return writer.take();
}

std::string pci_hostdev_xml(const PciAddress& address) {
    xml::Writer writer;
    open_with(writer, "hostdev", {{"mode", "subsystem"}, {"type", "pci"}, {"managed", "yes"}});
    writer.open("source");
    write_address(writer, address);
    writer.close();
    writer.close();
    return writer.take();
}

std::string io_uring_disk_xml(const std::string& generic, const std::string& target) {
    const std::string node = "vireo-" + target;
    const nlohmann::json image{{"driver", "nvme-io_uring"},
                               {"node-name", node},
                               {"path", generic},
                               {"cache", {{"direct", true}}}};
    const nlohmann::json device{{"driver", "virtio-blk-pci"}, {"id", node}, {"drive", node}};
    xml::Writer writer;
    open_with(
        writer, "qemu:commandline", {{"xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0"}});
    for (const std::string& word :
         {std::string("-blockdev"), image.dump(), std::string("-device"), device.dump()}) {
        leaf(writer, "qemu:arg", {{"value", word}});
    }
    writer.close();
    return writer.take();
}

} // namespace vireo::nodedev
