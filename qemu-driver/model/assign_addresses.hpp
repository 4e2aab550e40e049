// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

/// Gives every device its place in the guest, so that it keeps it for good: the same document
/// gives the same addresses, and a device that is added later does not move the others.
namespace vireo::qemu {

/// What a pass does beyond what an older definition of the same guest had.
struct PassOptions {
    /// The document defines or changes a guest: what was left out may be chosen by today's rules.
    /// Otherwise it was stored earlier, and a guest that runs by it must not change.
    bool new_definition{};
    /// The document describes a running guest.
    bool active{};
    /// One device of it is on its way in: all others are where QEMU has them.
    bool plugging{};
    /// Only what a document means to any hypervisor: no machine, no models, no addresses but those
    /// of drives.
    bool any_hypervisor{};
};

/// `fill_defaults` must have run. Throws config_unsupported or xml_error where an address is taken
/// twice, does not exist on its bus, or no place is left. Adds the controllers that devices need
/// (PCI bridges and ports, virtio-serial, USB hubs).
void assign_addresses(DomainDef& def, const HostFacts& facts, const PassOptions& options);

void assign_virtio_serial_addresses(DomainDef& def);
void assign_pci_addresses(DomainDef& def, const HostFacts& facts);
/// A slot whose functions are several devices says so at its first one.
void mark_multifunction(Devices& devices);
/// What PCI controllers show of themselves: device names, chassis, ports, bus numbers.
void fill_pci_targets(DomainDef& def, const HostFacts& facts);
void assign_usb_addresses(DomainDef& def, const PassOptions& options);
void assign_memory_slots(DomainDef& def);

} // namespace vireo::qemu
