// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

/// The device kinds whose plan is one object and one device at most, each in its own source file.
namespace vireo::qemu {

/// True for the machines that bring a floppy controller along.
bool has_own_floppy_controller(const OsDef& os);

/// Empty for the controllers that the machine brings along.
Plan plan_controller(const PlanContext& context, const ControllerDef& controller);
/// Empty for a PS/2 device, which the machine brings along.
Plan plan_input(const PlanContext& context, const InputDef& input);
Plan plan_video(const PlanContext& context, const VideoDef& video, bool primary);
Plan plan_graphics(const PlanContext& context, const GraphicsDef& graphics);
Plan plan_memballoon(const PlanContext& context, const MemballoonDef& balloon);
Plan plan_rng(const PlanContext& context, const RngDef& rng);
Plan plan_audio(const PlanContext& context, const AudioDef& audio);
/// The back end that the PC's speaker is heard through, if anybody wants to hear it.
std::optional<std::string> audio_for_speaker(const PlanContext& context);
Plan plan_sound(const PlanContext& context, const SoundDef& sound);
Plan plan_hub(const PlanContext& context, const HubDef& hub);
Plan plan_watchdog(const PlanContext& context, const WatchdogDef& watchdog);
/// What QEMU does when a watchdog bites; one for all of a guest.
Plan plan_watchdog_action(const WatchdogDef& watchdog);
Plan plan_panic(const PlanContext& context, const PanicDef& panic);
Plan plan_memory_device(const PlanContext& context, const MemoryDeviceDef& memory);
/// Memory for enclaves is no device: the machine is told of it.
void add_enclave_memory(const DomainDef& def, OptionText& machine);
/// SMBIOS tables and fw_cfg entries of `<sysinfo>`.
Plan plan_sysinfo(const DomainDef& def);
/// The generation id, and the device that tells where a crashed Linux left its notes.
Plan plan_identity(const PlanContext& context);
Plan plan_redirdev(const PlanContext& context, const RedirdevDef& redirdev);

Plan plan_filesystem(const PlanContext& context, const FilesystemDef& filesystem);
Plan plan_tpm(const PlanContext& context, const TpmDef& tpm);
Plan plan_shmem(const PlanContext& context, const ShmemDef& shmem);
/// Before all other devices: QEMU gives an IOMMU only to those that come after it.
Plan plan_iommu(const PlanContext& context, const IommuDef& iommu);
Plan plan_vsock(const PlanContext& context, const VsockDef& vsock);
Plan plan_crypto(const PlanContext& context, const CryptoDef& crypto);
Plan plan_smartcard(const PlanContext& context, const SmartcardDef& card);

} // namespace vireo::qemu
