// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_source.hpp"

/// `<os>`: machine, firmware, kernel, boot order.
namespace vireo::qemu {

enum class BootDevice { fd, cdrom, hd, network };
enum class FirmwareType { bios, efi };
enum class LoaderType { rom, pflash };
enum class SmbiosMode { emulate, host, sysinfo };

struct FirmwareFeature {
    YesNo enabled{};
    std::string name;
};

/// `<loader>`; with `firmware=` in `<os>` the path comes from a firmware descriptor.
struct LoaderDef {
    std::optional<std::string> path;
    std::optional<YesNo> readonly;
    std::optional<YesNo> secure;
    std::optional<YesNo> stateless;
    std::optional<LoaderType> type;
    std::optional<DiskFormat> format;
};

/// `<nvram>`: the variables of a UEFI firmware; a path as text, or `type=` and a source like a
/// disk's.
struct NvramDef {
    std::optional<std::string> template_path;
    std::optional<DiskFormat> format;
    /// The text form.
    std::optional<std::string> path;
    /// The other form; empty where the text form is used, or nothing is said.
    DiskImage image;

    /// Where the variables are, whichever form was used; without a path where it is not said.
    DiskImage storage() const;
};

struct BootMenuDef {
    std::optional<YesNo> enable;
    std::optional<uint32_t> timeout_ms;
};

struct BiosDef {
    std::optional<YesNo> use_serial;
    /// -1: never; ms.
    std::optional<int32_t> reboot_timeout_ms;
};

struct AcpiTable {
    std::string type;
    std::string path;
};

struct OsDef {
    /// `hvm`; anything else is refused by `validate`.
    std::string type;
    /// Absent only before `fill_defaults`.
    std::optional<std::string> arch;
    /// As the user wrote it (`pc`, `q35`, `pc-q35-7.2`) or the default. What it is an alias of is
    /// in `MachineFacts::canonical`.
    std::optional<std::string> machine;
    std::optional<FirmwareType> firmware;
    std::vector<FirmwareFeature> firmware_features;
    std::optional<LoaderDef> loader;
    std::optional<NvramDef> nvram;
    std::optional<std::string> kernel;
    std::optional<std::string> initrd;
    std::optional<std::string> cmdline;
    std::optional<std::string> dtb;
    std::vector<AcpiTable> acpi_tables;
    std::vector<BootDevice> boot_devices;
    std::optional<BootMenuDef> boot_menu;
    std::optional<BiosDef> bios;
    std::optional<SmbiosMode> smbios;
    xml::Where where;

    /// Q35 machines: PCI Express topology.
    bool is_q35() const;
    /// i440fx machines (`pc`, `pc-i440fx-…`, and the older `pc-0.…`).
    bool is_i440fx() const;
    /// `microvm`: no PCI, no legacy devices.
    bool is_microvm() const;
};

const xml::Type& describe(const OsDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::BootDevice> {
    static constexpr std::array<std::string_view, 4> names{"fd", "cdrom", "hd", "network"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::FirmwareType> {
    static constexpr std::array<std::string_view, 2> names{"bios", "efi"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::LoaderType> {
    static constexpr std::array<std::string_view, 2> names{"rom", "pflash"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SmbiosMode> {
    static constexpr std::array<std::string_view, 3> names{"emulate", "host", "sysinfo"};
};
