// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>
#include <vector>

/// `<sysinfo>`: SMBIOS tables, fw_cfg entries.
namespace vireo::qemu {

enum class SysinfoType { smbios, fwcfg };

struct SysinfoEntry {
    /// None in `<oemStrings>`.
    std::optional<std::string> name;
    std::optional<std::string> file;
    std::string value;
};

/// One SMBIOS structure (`<bios>`, `<system>`, `<baseBoard>`, `<chassis>`, `<oemStrings>`).
struct SysinfoTable {
    std::vector<SysinfoEntry> entries;
};

struct SysinfoDef {
    SysinfoType type{};
    std::optional<SysinfoTable> bios;
    std::optional<SysinfoTable> system;
    std::vector<SysinfoTable> base_boards;
    std::optional<SysinfoTable> chassis;
    std::optional<SysinfoTable> oem_strings;
    /// fwcfg.
    std::vector<SysinfoEntry> entries;
    xml::Where where;
};

const xml::Type& describe(const SysinfoDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::SysinfoType> {
    static constexpr std::array<std::string_view, 2> names{"smbios", "fwcfg"};
};
