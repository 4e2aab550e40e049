// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/assign_addresses.hpp"

/// Completes a definition: everything that a document may leave out and a guest needs gets the
/// value that libvirt 9.0 gives it for QEMU on x86_64, so that a stored definition does not change
/// its meaning when a default does.
namespace vireo::qemu {

/// Runs the passes below in their order. Throws config_unsupported where something needed cannot
/// be chosen.
void fill_defaults(DomainDef& def, const HostFacts& facts, const PassOptions& options);

/// Emulator, machine type, UUIDs.
void fill_machine(DomainDef& def, const HostFacts& facts);
/// The devices that a machine type has without being asked: PCI root, USB and SATA controllers,
/// keyboard and mouse, balloon, audio backend.
void add_machine_devices(DomainDef& def, const HostFacts& facts);
/// Controllers without an index get the lowest free one of their type; USB 2 controllers in a row
/// belong together and share theirs.
void fill_controller_indexes(DomainDef& def);
/// Model, checks and topology of the guest's CPU.
void fill_cpu(DomainDef& def, const HostFacts& facts);
/// Numbers of NUMA cells, their order, and the distances that others imply.
void fill_cells(DomainDef& def);
/// vCPUs that are in no NUMA cell are in the first one.
void fill_cell_cpus(DomainDef& def);
/// vCPUs, I/O threads, and where on the host they and the memory are.
void fill_tuning(DomainDef& def);
/// The kinds of device that QEMU has several of: models, formats, backends.
void fill_qemu_devices(DomainDef& def, const HostFacts& facts);
/// What each device leaves out and any hypervisor would fill in alike.
void fill_devices(DomainDef& def, const HostFacts& facts, const PassOptions& options);
/// Disks: bus, place on a drive controller.
void fill_disk(DiskDef& disk, const DomainDef& def);
/// Graphics: who chooses the ports, what listens where.
void fill_graphics(GraphicsDef& graphics);
/// What a device needs to be connected to: drive and virtio-serial controllers; a console for the
/// first serial port, a display adapter for a screen.
void add_needed_devices(DomainDef& def);

} // namespace vireo::qemu
