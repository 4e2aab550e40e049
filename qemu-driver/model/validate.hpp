// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

/// Refuses what is well-formed but cannot work: two devices with one name, combinations that QEMU
/// or Vireo does not have, values out of range. `fill_defaults` must have run. Each throws
/// config_unsupported with the element, its line, the value and what to do; where several mistakes
/// have nothing to do with each other, one xml::DocumentError with all of them.
namespace vireo::qemu {

/// What no hypervisor could do. A part of `validate`.
void validate_document(const DomainDef& def);
/// The whole check.
void validate(const DomainDef& def, const HostFacts& facts);

// The parts, one for each family of elements. Those without the facts are of `validate_document`.

/// Names, places, drivers and limits of `<disk>`.
void validate_disks(const DomainDef& def);
/// Where their bytes are, how they are decrypted and reached.
void validate_disk_images(const DomainDef& def);
/// What QEMU's block layer and its disk devices lack.
void validate_qemu_disks(const DomainDef& def);
/// Formats, protocols and their options, of each image of a disk's chain. A part of the former.
void validate_qemu_images(const DiskDef& disk);
/// Host's side of serial ports, channels, consoles and whatever else uses a character device.
void validate_chardevs(const DomainDef& def);
/// Serial ports, consoles, channels as QEMU has them.
void validate_qemu_chardevs(const DomainDef& def);
void validate_interfaces(const DomainDef& def);
void validate_qemu_interfaces(const DomainDef& def);
void validate_controllers(const DomainDef& def);
void validate_qemu_controllers(const DomainDef& def);
void validate_hostdevs(const DomainDef& def);
/// `<graphics>`, `<video>`, `<audio>`, `<sound>`.
void validate_displays(const DomainDef& def);
void validate_qemu_displays(const DomainDef& def);
/// The devices that have one short rule or two: input, tpm, rng, watchdog, panic, shmem, vsock ...
void validate_small_devices(const DomainDef& def);
void validate_qemu_small_devices(const DomainDef& def);
/// `<filesystem>`.
void validate_filesystems(const DomainDef& def);
/// Refuses an element whose server, another process, must reach the guest's memory, where that is
/// private to QEMU.
void require_shared_memory(const DomainDef& def,
                           xml::Where where,
                           std::string_view element,
                           std::string_view what);
/// Memory devices, huge pages, NUMA cells and where they lie on the host.
void validate_memory(const DomainDef& def);
/// Without the devices. A part of the former.
void validate_guest_numa(const DomainDef& def);
void validate_qemu_memory(const DomainDef& def);
/// Memory devices on this host: node, room, slots, the host's pages, what cannot be beside them.
void validate_memory_devices(const DomainDef& def, const HostFacts& facts);
/// vCPUs, `<cpu>`.
void validate_cpu(const DomainDef& def);
void validate_qemu_cpu(const DomainDef& def);
/// `<features>`, `<clock>`, what happens at a shutdown or a crash.
void validate_features(const DomainDef& def);
/// `<cputune>`, `<blkiotune>`, `<memtune>`, I/O threads.
void validate_tuning(const DomainDef& def);
/// `<os>`, `<sysinfo>`.
void validate_firmware(const DomainDef& def);
/// `<seclabel>` of the domain and of its devices.
void validate_seclabels(const DomainDef& def);

} // namespace vireo::qemu
