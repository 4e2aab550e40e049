// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <cstdio>

namespace vireo::qemu {

namespace {

bool smm_is_on(const DomainDef& def) {
    return def.features && def.features->smm &&
           def.features->smm->state.value_or(OnOff::on) == OnOff::on;
}

bool enables(const OsDef& os, std::string_view name, YesNo enabled) {
    return std::ranges::any_of(os.firmware_features, [&](const FirmwareFeature& f) {
        return f.name == name && f.enabled == enabled;
    });
}

void check_features(const OsDef& os) {
    for (const FirmwareFeature& f : os.firmware_features) {
        if (f.name != "enrolled-keys" && f.name != "secure-boot") {
            refuse(
                os.where, "feature", "name='{}' is not 'enrolled-keys' or 'secure-boot'", f.name);
        }
    }
    if (enables(os, "enrolled-keys", YesNo::yes) && enables(os, "secure-boot", YesNo::no)) {
        refuse(os.where, "feature", "enrolled-keys are for secure-boot, which is not enabled");
    }
}

/// What the daemon chose once, in a document that comes back: the image, its type and where its
/// variables are, where it has any.
bool is_whole_choice(const OsDef& os) {
    const LoaderDef& loader = *os.loader;
    return loader.path && loader.type &&
           (os.firmware == FirmwareType::bios || loader.stateless == YesNo::yes || os.nvram);
}

/// firmware='bios' or 'efi': the daemon chooses the image.
void check_chosen(const OsDef& os) {
    if (os.firmware == FirmwareType::bios && (os.nvram || !os.firmware_features.empty())) {
        refuse(os.where, os.nvram ? "nvram" : "firmware", "firmware='bios' keeps no variables");
    }
    if (os.firmware == FirmwareType::bios && os.loader && os.loader->stateless == YesNo::no) {
        refuse(os.where, "loader", "stateless='no': firmware='bios' keeps nothing");
    }
    if (os.loader && (os.loader->path || os.loader->type) && !is_whole_choice(os)) {
        refuse(os.where,
               "loader",
               "{}: <os firmware='{}'> chooses it; remove one of the two",
               os.loader->path ? "the path" : "type=",
               name_of(*os.firmware));
    }
}

void check_named(const DomainDef& def, const LoaderDef& loader) {
    const OsDef& os = def.os;
    const xml::Where where = os.where;
    if (!loader.path) {
        refuse(where, "loader", "it names no image; <os firmware='efi'> would choose one");
    }
    const bool flash = loader.type == LoaderType::pflash;
    if (!flash && os.nvram) {
        refuse(where, "nvram", "<loader type='rom'> keeps no variables; use type='pflash'");
    }
    if (!flash && loader.stateless == YesNo::no) {
        refuse(where, "loader", "stateless='no' needs type='pflash'");
    }
    if (!flash && loader.readonly == YesNo::no) {
        refuse(where, "loader", "readonly='no' needs type='pflash'");
    }
    if (flash && loader.readonly != YesNo::yes && os.nvram) {
        refuse(where, "nvram", "an image that is not readonly='yes' keeps its variables in itself");
    }
}

/// The file of variables is an image by itself, of this host or of a server.
void check_nvram(const OsDef& os) {
    if (!os.nvram || os.nvram->image.is_empty()) {
        return;
    }
    const DiskImage& image = os.nvram->image;
    if (image.type() != DiskType::file && image.type() != DiskType::block &&
        image.type() != DiskType::network) {
        refuse(os.where,
               "nvram",
               "type='{}' is not one of 'file', 'block' and 'network'",
               name_of(image.type()));
    }
    const std::string_view what = !image.slices.empty()     ? "<slices>"
                                  : image.reservations      ? "<reservations>"
                                  : image.base() != nullptr ? "<backingStore>"
                                                            : "";
    if (!what.empty()) {
        refuse(os.where, "nvram", "an image of variables has no {}", what);
    }
}

void check_secure(const DomainDef& def) {
    const OsDef& os = def.os;
    if (!os.loader || os.loader->secure != YesNo::yes) {
        return;
    }
    if (!os.is_q35()) {
        refuse(os.where, "loader", "secure='yes' needs a machine 'q35', not '{}'", *os.machine);
    }
    if (!smm_is_on(def) && !os.firmware) {
        refuse(os.where, "loader", "secure='yes' needs <features><smm state='on'/></features>");
    }
}

void check_stateless(const OsDef& os) {
    if (!os.loader || os.loader->stateless != YesNo::yes || !os.nvram) {
        return;
    }
    refuse(os.where,
           "nvram",
           "<loader stateless='yes'> keeps no variables; remove {}",
           os.nvram->template_path ? "the template" : "the element");
}

void check_boot(const DomainDef& def) {
    const OsDef& os = def.os;
    constexpr uint32_t longest_ms = 65535;
    if (os.boot_menu && os.boot_menu->timeout_ms.value_or(0) > longest_ms) {
        refuse(os.where,
               "bootmenu",
               "timeout='{}' is not up to {} ms",
               *os.boot_menu->timeout_ms,
               longest_ms);
    }
    if (os.bios && os.bios->reboot_timeout_ms &&
        (*os.bios->reboot_timeout_ms < -1 ||
         *os.bios->reboot_timeout_ms > static_cast<int32_t>(longest_ms))) {
        refuse(os.where,
               "bios",
               "rebootTimeout='{}' is not from -1 to {} ms",
               *os.bios->reboot_timeout_ms,
               longest_ms);
    }
    if (os.bios && os.bios->use_serial == YesNo::yes && def.devices.serials.empty()) {
        refuse(os.where, "bios", "useserial='yes' needs a <serial>");
    }
    if (!os.kernel && (os.initrd || os.cmdline)) {
        refuse(os.where, os.initrd ? "initrd" : "cmdline", "it needs a <kernel>");
    }
    for (const AcpiTable& table : os.acpi_tables) {
        if (table.type != "slic") {
            refuse(os.where, "table", "type='{}' is not 'slic'", table.type);
        }
    }
}

const SysinfoEntry* find(const SysinfoTable& table, std::string_view name) {
    const auto found = std::ranges::find_if(
        table.entries, [&](const SysinfoEntry& e) { return e.name && *e.name == name; });
    return found != table.entries.end() ? &*found : nullptr;
}

/// mm/dd/yyyy or mm/dd/yy, as SMBIOS has it.
bool is_bios_date(const std::string& text) {
    unsigned month = 0, day = 0, year = 0;
    int end = 0;
    if (std::sscanf(text.c_str(), "%2u/%2u/%4u%n", &month, &day, &year, &end) != 3 ||
        static_cast<std::size_t>(end) != text.size()) {
        return false;
    }
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && (year < 100 || year >= 1900);
}

std::string bare(std::string uuid) {
    std::erase(uuid, '-');
    std::ranges::transform(uuid, uuid.begin(), [](char c) {
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return uuid;
}

void check_sysinfo(const DomainDef& def) {
    for (const SysinfoDef& info : def.sysinfos) {
        if (info.bios) {
            if (const SysinfoEntry* date = find(*info.bios, "date");
                date != nullptr && !is_bios_date(date->value)) {
                refuse(info.where, "entry", "date '{}' is not of the form mm/dd/yyyy", date->value);
            }
        }
        if (info.system) {
            const SysinfoEntry* uuid = find(*info.system, "uuid");
            if (uuid != nullptr && bare(uuid->value) != bare(def.uuid.value_or(""))) {
                refuse(info.where,
                       "entry",
                       "uuid '{}' is not <uuid>, '{}'",
                       uuid->value,
                       def.uuid.value_or(""));
            }
        }
        for (const SysinfoEntry& entry : info.entries) {
            if (!entry.name || !entry.name->starts_with("opt/")) {
                refuse(info.where,
                       "entry",
                       "name='{}': entries of a user start with opt/",
                       entry.name.value_or(""));
            }
            if (entry.name->starts_with("opt/ovmf/") || entry.name->starts_with("opt/org.qemu/")) {
                refuse(info.where, "entry", "name='{}' is the firmware's own", *entry.name);
            }
            if (entry.file && !entry.value.empty()) {
                refuse(info.where, "entry", "'{}' has both a value and file=", *entry.name);
            }
        }
    }
    const bool tables = std::ranges::any_of(
        def.sysinfos, [](const SysinfoDef& i) { return i.type == SysinfoType::smbios; });
    if (def.os.smbios == SmbiosMode::sysinfo && !tables) {
        refuse(def.os.where, "smbios", "mode='sysinfo' needs a <sysinfo type='smbios'>");
    }
}

} // namespace

void validate_firmware(const DomainDef& def) {
    const OsDef& os = def.os;
    check_features(os);
    if (os.firmware) {
        check_chosen(os);
    } else if (os.loader) {
        check_named(def, *os.loader);
    }
    check_stateless(os);
    check_nvram(os);
    check_secure(def);
    const bool flash = os.loader && os.loader->type == LoaderType::pflash;
    if ((os.firmware == FirmwareType::efi || flash) && (!def.features || !def.features->acpi)) {
        refuse(os.where, "loader", "UEFI needs <features><acpi/></features>");
    }
    check_boot(def);
    check_sysinfo(def);
}

} // namespace vireo::qemu
