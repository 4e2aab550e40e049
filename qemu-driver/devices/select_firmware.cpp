// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/select_firmware.hpp"

#include "libshared/error.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

bool has(const FirmwareFacts& firmware, const char* feature) {
    return firmware.features.contains(feature);
}

bool offers_interface(const FirmwareFacts& firmware, FirmwareType type) {
    const char* wanted = type == FirmwareType::efi ? "uefi" : "bios";
    return std::find(firmware.interfaces.begin(), firmware.interfaces.end(), wanted) !=
           firmware.interfaces.end();
}

bool suits_machine(const FirmwareFacts& firmware,
                   const std::string& arch,
                   const std::string& machine) {
    for (const FirmwareFacts::Target& target : firmware.targets) {
        // QEMU's name of the 32-bit architecture differs from libvirt's.
        const std::string& name = target.arch == "i386" ? "i686" : target.arch;
        if (name != arch) {
            continue;
        }
        for (const std::string& pattern : target.machines) {
            if (::fnmatch(pattern.c_str(), machine.c_str(), 0) == 0) {
                return true;
            }
        }
    }
    return false;
}

/// Whether the wish for a feature (on, off or none) is met.
bool meets(const FirmwareFacts& firmware, const FirmwareFeature& wish) {
    return has(firmware, wish.name.c_str()) == (wish.enabled == YesNo::yes);
}

bool suits_loader(const FirmwareFacts& firmware, const OsDef& os) {
    const auto& loader = os.loader;
    if (firmware.device == "flash") {
        const bool stateless = loader && loader->stateless == YesNo::yes;
        const char* mode = stateless ? "stateless" : "split";
        if (firmware.mode != mode) {
            return false;
        }
    } else if (loader && loader->stateless == YesNo::no) {
        return false; // nothing but flash keeps variables
    }
    if (loader && loader->secure == YesNo::yes) {
        return has(firmware, "secure-boot") && has(firmware, "requires-smm");
    }
    return true;
}

bool suits_guest(const FirmwareFacts& firmware, const DomainDef& def) {
    if (def.pm && def.pm->suspend_to_mem == YesNo::yes && !has(firmware, "acpi-s3")) {
        return false;
    }
    if (def.pm && def.pm->suspend_to_disk == YesNo::yes && !has(firmware, "acpi-s4")) {
        return false;
    }
    const bool smm_is_off =
        def.features && def.features->smm && def.features->smm->state == OnOff::off;
    return !(smm_is_off && has(firmware, "requires-smm"));
}

DiskFormat format_named(const std::string& name) {
    if (name == "raw" || name.empty()) {
        return DiskFormat::raw;
    }
    if (name == "qcow2") {
        return DiskFormat::qcow2;
    }
    throw Error(ErrorCode::config_unsupported, "firmware format '{}' is not supported", name);
}

void use(const FirmwareFacts& firmware, DomainDef& def) {
    OsDef& os = def.os;
    if (firmware.device == "kernel") {
        os.kernel = firmware.executable;
        return;
    }
    if (!os.loader) {
        os.loader.emplace();
    }
    os.loader->path = firmware.executable;
    if (firmware.device != "flash") {
        os.loader->type = LoaderType::rom;
        if (os.firmware == FirmwareType::efi) {
            os.loader->stateless = YesNo::yes; // nothing but flash keeps variables
        }
        return;
    }
    os.loader->type = LoaderType::pflash;
    os.loader->readonly = YesNo::yes;
    os.loader->format = format_named(firmware.executable_format);
    if (firmware.mode == "split") {
        if (!os.nvram) {
            os.nvram.emplace();
        }
        if (!os.nvram->template_path) {
            os.nvram->template_path = firmware.nvram_template;
        }
        if (!os.nvram->format) {
            os.nvram->format = format_named(firmware.nvram_format);
        }
    }
    if (has(firmware, "requires-smm")) {
        if (!def.features) {
            def.features.emplace();
        }
        if (!def.features->smm) {
            def.features->smm.emplace();
        }
        def.features->smm->state = OnOff::on;
        os.loader->secure = YesNo::yes;
    }
}

void choose(DomainDef& def, std::span<const FirmwareFacts> firmware, const QemuCapabilities& caps) {
    const std::string named = def.os.machine.value_or("");
    const MachineType* machine = caps.machine(named);
    const std::string& canonical = machine != nullptr ? machine->name : named;
    for (const FirmwareFacts& candidate : firmware) {
        const auto& wishes = def.os.firmware_features;
        if (offers_interface(candidate, *def.os.firmware) &&
            suits_machine(candidate, def.os.arch.value_or(""), canonical) &&
            suits_loader(candidate, def.os) && suits_guest(candidate, def) &&
            std::all_of(wishes.begin(), wishes.end(), [&](const FirmwareFeature& wish) {
                return meets(candidate, wish);
            })) {
            use(candidate, def);
            return;
        }
    }
    throw Error(ErrorCode::config_unsupported,
                "os firmware='{}': none of {} firmware descriptors suits machine '{}' and what the "
                "domain asks for",
                name_of(*def.os.firmware),
                firmware.size(),
                canonical);
}

void complete_nvram(DomainDef& def,
                    std::span<const FirmwareFacts> firmware,
                    const std::string& nvram_dir) {
    OsDef& os = def.os;
    if (!os.nvram) {
        os.nvram.emplace();
    }
    if (os.nvram->storage().is_empty()) {
        os.nvram->path = nvram_dir + "/" + def.name + "_VARS.fd";
    }
    if (os.nvram->template_path) {
        return;
    }
    for (const FirmwareFacts& candidate : firmware) {
        if (candidate.mode == "split" && candidate.executable == os.loader->path) {
            os.nvram->template_path = candidate.nvram_template;
            return;
        }
    }
}

} // namespace

void select_firmware(DomainDef& def,
                     std::span<const FirmwareFacts> firmware,
                     const QemuCapabilities& caps,
                     const std::string& nvram_dir) {
    if (def.os.firmware && !(def.os.loader && def.os.loader->path)) {
        choose(def, firmware, caps);
    }
    const auto& loader = def.os.loader;
    const bool keeps_variables = loader && loader->path && loader->type == LoaderType::pflash &&
                                 loader->readonly == YesNo::yes && loader->stateless != YesNo::yes;
    if (keeps_variables) {
        complete_nvram(def, firmware, nvram_dir);
    }
}

} // namespace vireo::qemu
