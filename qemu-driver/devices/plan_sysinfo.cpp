// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_devices.hpp"

namespace vireo::qemu {

namespace {

/// One SMBIOS structure; libvirt's names of its strings are QEMU's.
void add_table(Plan& plan, uint64_t type, const SysinfoTable& table) {
    OptionText text;
    text.add("type", type);
    for (const SysinfoEntry& entry : table.entries) {
        text.add(entry.name.value_or("value"), entry.value);
    }
    plan.push_back(option_step("-smbios", text.take()));
}

void add_smbios(Plan& plan, const SysinfoDef& info) {
    // Structure numbers of the SMBIOS specification, section 7.
    constexpr uint64_t bios = 0, system = 1, base_board = 2, chassis = 3, oem_strings = 11;
    if (info.bios) {
        add_table(plan, bios, *info.bios);
    }
    if (info.system) {
        add_table(plan, system, *info.system);
    }
    for (const SysinfoTable& board : info.base_boards) {
        add_table(plan, base_board, board);
    }
    if (info.chassis) {
        add_table(plan, chassis, *info.chassis);
    }
    if (info.oem_strings) {
        add_table(plan, oem_strings, *info.oem_strings);
    }
}

} // namespace

Plan plan_sysinfo(const DomainDef& def) {
    Plan plan;
    for (const SysinfoDef& info : def.sysinfos) {
        if (info.type == SysinfoType::smbios && def.os.smbios == SmbiosMode::sysinfo) {
            add_smbios(plan, info);
        }
        for (const SysinfoEntry& entry : info.entries) {
            OptionText text;
            text.add("name", entry.name.value_or(""));
            if (entry.file) {
                text.add("file", *entry.file);
            } else {
                text.add("string", entry.value);
            }
            plan.push_back(option_step("-fw_cfg", text.take()));
        }
    }
    return plan;
}

} // namespace vireo::qemu
