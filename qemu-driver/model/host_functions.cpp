// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/host_functions.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

namespace {

void add_images(const DiskDef& disk, const DiskImage& top, std::vector<HostFunction>& functions) {
    for (const DiskImage* image = &top; image != nullptr; image = image->base()) {
        if (const auto* nvme = std::get_if<NvmeSource>(&image->source)) {
            functions.push_back({.address = nvme->controller,
                                 .managed = nvme->managed == YesNo::yes,
                                 .namespace_id = nvme->namespace_id,
                                 .element = fmt::format("disk '{}'", disk.target.dev),
                                 .where = disk.info.where});
        }
    }
}

} // namespace

std::string format_function(const PciAddress& address) {
    return fmt::format(
        "{:04x}:{:02x}:{:02x}.{:x}", address.domain, address.bus, address.slot, address.function);
}

std::string node_device_name(const PciAddress& address) {
    return fmt::format("pci_{:04x}_{:02x}_{:02x}_{:x}",
                       address.domain,
                       address.bus,
                       address.slot,
                       address.function);
}

std::vector<HostFunction> host_functions(const DiskDef& disk) {
    std::vector<HostFunction> functions;
    add_images(disk, disk.image, functions);
    if (disk.mirror && disk.mirror->job == MirrorJob::copy) { // a commit's is one of the chain
        add_images(disk, disk.mirror->image, functions);
    }
    return functions;
}

std::vector<HostFunction> host_functions(const Device& device) {
    DomainDef alone;
    if (const auto* disk = std::get_if<DiskDef>(&device)) {
        alone.devices.disks.push_back(*disk);
    } else if (const auto* hostdev = std::get_if<HostdevDef>(&device)) {
        alone.devices.hostdevs.push_back(*hostdev);
    }
    return host_functions(alone);
}

std::vector<HostFunction> host_functions(const DomainDef& def) {
    std::vector<HostFunction> functions;
    for (const DiskDef& disk : def.devices.disks) {
        for (HostFunction& function : host_functions(disk)) {
            functions.push_back(std::move(function));
        }
    }
    for (const HostdevDef& hostdev : def.devices.hostdevs) {
        if (const auto* pci = std::get_if<PciHostdev>(&hostdev.source)) {
            functions.push_back({.address = pci->address,
                                 .managed = hostdev.managed == YesNo::yes,
                                 .element = "hostdev",
                                 .where = hostdev.info.where});
        }
    }
    for (const InterfaceDef& interface : def.devices.interfaces) {
        if (const auto* pci = std::get_if<HostdevInterfaceSource>(&interface.source)) {
            functions.push_back({.address = pci->address,
                                 .managed = pci->managed == YesNo::yes,
                                 .element = "interface",
                                 .where = interface.info.where});
        }
    }
    return functions;
}

} // namespace vireo::qemu
