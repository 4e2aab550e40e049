// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/device_document.hpp"

#include "libshared/xml/parse.hpp"
#include "qemu-driver/model/assign_addresses.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

namespace vireo::qemu {

Device parse_device(std::string_view text, xml::Problems& unknowns) {
    const auto document = xml::Document::parse(text);
    const xml::Node root = document.root();
    if (root.name() == "memory") {
        const xml::ParseOptions options{.unknown = xml::Unknown::report, .unknowns = &unknowns};
        auto memory = xml::read<MemoryDeviceDef>(root, options);
        memory.current_kib.reset();
        return memory;
    }
    throw Error(ErrorCode::operation_unsupported,
                "line {}: <{}> is not a device that can be attached, detached or changed; <memory> "
                "is",
                root.line(),
                root.name());
}

MemoryDeviceDef
placed_in(const DomainDef& live, const MemoryDeviceDef& memory, const HostFacts& facts) {
    DomainDef trial = live;
    MemoryDeviceDef aligned = memory;
    align_memory(aligned);
    add_memory_device(trial, std::move(aligned));
    validate_memory(trial);
    validate_memory_devices(trial, facts);
    validate_qemu_memory(trial);
    if (memory.info.alias) {
        for_each_device(live.devices, [&](const auto& device) {
            if (device.info.alias == memory.info.alias) {
                refuse(memory.info.where,
                       "memory",
                       "the guest has a device with alias '{}'; give this one another",
                       *memory.info.alias);
            }
        });
    }
    assign_pci_addresses(trial, facts);
    assign_memory_slots(trial);
    assign_aliases(trial);
    MemoryDeviceDef placed = trial.devices.memories.back();
    const PciAddress* at = placed.info.pci();
    if (at != nullptr && find_controller(live, ControllerType::pci, at->bus) == nullptr) {
        refuse(memory.info.where,
               "memory",
               "the running guest has no free PCI slot that a device can be plugged into; add "
               "<controller type='pci' model='pcie-root-port'/> to its definition and start it "
               "again");
    }
    return placed;
}

} // namespace vireo::qemu
