// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/audio_def.hpp"
#include "qemu-driver/model/chardev_def.hpp"
#include "qemu-driver/model/clock_def.hpp"
#include "qemu-driver/model/controller_def.hpp"
#include "qemu-driver/model/cpu_def.hpp"
#include "qemu-driver/model/crypto_def.hpp"
#include "qemu-driver/model/disk_def.hpp"
#include "qemu-driver/model/features_def.hpp"
#include "qemu-driver/model/filesystem_def.hpp"
#include "qemu-driver/model/graphics_def.hpp"
#include "qemu-driver/model/hostdev_def.hpp"
#include "qemu-driver/model/hub_def.hpp"
#include "qemu-driver/model/input_def.hpp"
#include "qemu-driver/model/interface_def.hpp"
#include "qemu-driver/model/iommu_def.hpp"
#include "qemu-driver/model/launch_security_def.hpp"
#include "qemu-driver/model/lease_def.hpp"
#include "qemu-driver/model/memballoon_def.hpp"
#include "qemu-driver/model/memory_def.hpp"
#include "qemu-driver/model/memory_device_def.hpp"
#include "qemu-driver/model/os_def.hpp"
#include "qemu-driver/model/panic_def.hpp"
#include "qemu-driver/model/redirdev_def.hpp"
#include "qemu-driver/model/resource_def.hpp"
#include "qemu-driver/model/rng_def.hpp"
#include "qemu-driver/model/seclabel_def.hpp"
#include "qemu-driver/model/shmem_def.hpp"
#include "qemu-driver/model/smartcard_def.hpp"
#include "qemu-driver/model/sound_def.hpp"
#include "qemu-driver/model/sysinfo_def.hpp"
#include "qemu-driver/model/tpm_def.hpp"
#include "qemu-driver/model/tuning_def.hpp"
#include "qemu-driver/model/vcpu_def.hpp"
#include "qemu-driver/model/video_def.hpp"
#include "qemu-driver/model/vsock_def.hpp"
#include "qemu-driver/model/watchdog_def.hpp"

/// `<domain>`: everything that a document says about one guest. Plain data: it is read by
/// `parse_domain`, completed by `fill_defaults`, `assign_addresses` and `assign_aliases`, checked
/// by `validate` and written by `format_domain`.
namespace vireo::qemu {

/// The ones that are not QEMU's are libvirt's words for other hypervisors: refused by `validate`.
enum class DomainType {
    qemu,
    kvm,
    kqemu,
    xen,
    lxc,
    uml,
    openvz,
    test,
    vmware,
    hyperv,
    vbox,
    phyp,
    parallels,
    bhyve,
    vz,
    hvf
};
enum class LifecycleAction {
    destroy,
    restart,
    rename_restart,
    preserve,
    coredump_destroy,
    coredump_restart
};
enum class LockFailureAction { poweroff, restart, pause, ignore };

/// `<pm>`: whether the guest is offered ACPI sleep states.
struct PmDef {
    std::optional<YesNo> suspend_to_mem;
    std::optional<YesNo> suspend_to_disk;
};

/// `<genid>`: tells the guest that it is another one than before (after a revert to a snapshot).
struct GenidDef {
    /// Absent only before `fill_defaults`.
    std::optional<std::string> uuid;
};

struct QemuEnv {
    std::string name;
    std::optional<std::string> value;
};

/// `<qemu:commandline>`: passed to QEMU as it is.
struct QemuCommandline {
    std::vector<std::string> args;
    std::vector<QemuEnv> env;
};

/// `<qemu:capabilities>`: libvirt's flags of a QEMU binary, to be taken as there or not there.
struct QemuCapabilityOverrides {
    std::vector<std::string> add;
    std::vector<std::string> del;
};

enum class DeprecationBehavior { none, omit, reject, crash };

enum class OverrideType { string, signed_, unsigned_, bool_, remove };

struct QemuProperty {
    std::string name;
    OverrideType type{};
    std::optional<std::string> value;
};

/// `<qemu:override><qemu:device alias=><qemu:frontend>`: properties of a device's front end.
struct QemuOverride {
    std::string alias;
    std::vector<QemuProperty> properties;
};

struct Devices {
    // Out of line, in domain.cpp: copying all devices inline took each file that does it ten
    // seconds and more to compile.
    Devices();
    Devices(const Devices&);
    Devices(Devices&&) noexcept;
    Devices& operator=(const Devices&);
    Devices& operator=(Devices&&) noexcept;
    ~Devices();

    std::optional<std::string> emulator;
    std::vector<DiskDef> disks;
    std::vector<ControllerDef> controllers;
    std::vector<LeaseDef> leases;
    std::vector<InterfaceDef> interfaces;
    std::vector<SerialDef> serials;
    std::vector<ParallelDef> parallels;
    std::vector<ConsoleDef> consoles;
    std::vector<ChannelDef> channels;
    std::vector<InputDef> inputs;
    std::vector<GraphicsDef> graphics;
    std::vector<VideoDef> videos;
    std::optional<MemballoonDef> memballoon;
    std::vector<RngDef> rngs;
    std::vector<AudioDef> audios;
    std::vector<SoundDef> sounds;
    std::vector<HubDef> hubs;
    std::vector<HostdevDef> hostdevs;
    std::vector<FilesystemDef> filesystems;
    std::vector<RedirdevDef> redirdevs;
    std::optional<RedirfilterDef> redirfilter;
    std::vector<SmartcardDef> smartcards;
    std::vector<TpmDef> tpms;
    std::vector<WatchdogDef> watchdogs;
    std::vector<PanicDef> panics;
    std::vector<ShmemDef> shmems;
    std::vector<MemoryDeviceDef> memories;
    std::optional<IommuDef> iommu;
    std::optional<VsockDef> vsock;
    std::vector<CryptoDef> cryptos;
    /// Of other machines; refused by `validate`.
    std::optional<xml::Raw> nvram;
};

struct DomainDef {
    // Out of line like those of Devices.
    DomainDef();
    DomainDef(const DomainDef&);
    DomainDef(DomainDef&&) noexcept;
    DomainDef& operator=(const DomainDef&);
    DomainDef& operator=(DomainDef&&) noexcept;
    ~DomainDef();

    DomainType type{};
    /// Of a running guest.
    std::optional<uint32_t> id;
    std::string name;
    /// Lower case with dashes; absent only before `fill_defaults`.
    std::optional<std::string> uuid;
    std::optional<GenidDef> genid;
    std::optional<std::string> title;
    std::optional<std::string> description;
    /// The whole `<metadata>` element as it was written.
    std::optional<xml::Raw> metadata;
    MemoryDef memory;
    std::optional<MemoryBackingDef> memory_backing;
    VcpuDef vcpus;
    /// `<iothreads>`: after `fill_defaults` the length of `iothreads`.
    std::optional<uint32_t> iothread_count;
    std::vector<IothreadDef> iothreads;
    std::optional<ThreadPool> default_iothread;
    std::optional<CputuneDef> cputune;
    std::optional<MemtuneDef> memtune;
    std::optional<BlkiotuneDef> blkiotune;
    std::optional<NumatuneDef> numatune;
    std::optional<ResourceDef> resource;
    std::optional<IdmapDef> idmap;
    std::vector<PerfEvent> perf;
    std::vector<SysinfoDef> sysinfos;
    OsDef os;
    std::optional<FeaturesDef> features;
    std::optional<CpuDef> cpu;
    ClockDef clock;
    std::optional<LifecycleAction> on_poweroff;
    std::optional<LifecycleAction> on_reboot;
    std::optional<LifecycleAction> on_crash;
    std::optional<LockFailureAction> on_lockfailure;
    std::optional<PmDef> pm;
    Devices devices;
    std::vector<SeclabelDef> seclabels;
    std::optional<LaunchSecurityDef> launch_security;
    /// Of other machines and hypervisors; refused by `validate`.
    std::optional<std::string> bootloader;
    std::optional<std::string> bootloader_args;
    std::optional<xml::Raw> keywrap;
    std::optional<QemuCommandline> qemu_commandline;
    std::optional<QemuCapabilityOverrides> qemu_capabilities;
    std::optional<DeprecationBehavior> qemu_deprecation;
    std::vector<QemuOverride> qemu_overrides;
    /// Line of the root element.
    xml::Where where;
};

const xml::Type& describe(const DomainDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::DomainType> {
    static constexpr std::array<std::string_view, 16> names{"qemu",
                                                            "kvm",
                                                            "kqemu",
                                                            "xen",
                                                            "lxc",
                                                            "uml",
                                                            "openvz",
                                                            "test",
                                                            "vmware",
                                                            "hyperv",
                                                            "vbox",
                                                            "phyp",
                                                            "parallels",
                                                            "bhyve",
                                                            "vz",
                                                            "hvf"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::LifecycleAction> {
    static constexpr std::array<std::string_view, 6> names{
        "destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::LockFailureAction> {
    static constexpr std::array<std::string_view, 4> names{
        "poweroff", "restart", "pause", "ignore"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DeprecationBehavior> {
    static constexpr std::array<std::string_view, 4> names{"none", "omit", "reject", "crash"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::OverrideType> {
    static constexpr std::array<std::string_view, 5> names{
        "string", "signed", "unsigned", "bool", "remove"};
};
