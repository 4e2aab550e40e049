// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/validate.hpp"

#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/refusals.hpp"

#include <set>
#include <span>

namespace vireo::qemu {

namespace {

void check_names(const DomainDef& def) {
    if (def.name.empty() || def.name.find('/') != std::string::npos ||
        def.name.find_first_not_of(" \t\r\n") == std::string::npos) {
        refuse(def.where, "name", "'{}' is no name for a domain; it may not hold '/'", def.name);
    }
    if (def.title && def.title->find('\n') != std::string::npos) {
        refuse(def.where, "title", "it has more than one line");
    }
}

void check_machine(const DomainDef& def, const HostFacts& facts) {
    const OsDef& os = def.os;
    if (def.type != DomainType::qemu && def.type != DomainType::kvm) {
        refuse(def.where,
               "domain",
               "type='{}' is not supported; 'kvm' and 'qemu' are",
               name_of(def.type));
    }
    if (os.type != "hvm") {
        refuse(os.where, "type", "'{}' is not supported; QEMU's guests are 'hvm'", os.type);
    }
    if (os.arch != "x86_64" && os.arch != "i686") {
        refuse(os.where, "type", "arch='{}' is not supported; 'x86_64' is", *os.arch);
    }
    const MachineType* machine = facts.qemu->machine(*os.machine);
    if (machine == nullptr) {
        refuse(os.where, "type", "this QEMU has no machine '{}'", *os.machine);
    }
    if (machine->max_cpus != 0 && def.vcpus.maximum > machine->max_cpus) {
        refuse(def.where,
               "vcpu",
               "machine '{}' has at most {} CPUs, not {}",
               *os.machine,
               machine->max_cpus,
               def.vcpus.maximum);
    }
}

/// What is of other machines and hypervisors.
void check_foreign(const DomainDef& def) {
    if (def.bootloader || def.bootloader_args) {
        refuse(def.where, "bootloader", "QEMU has none; <os> says what is booted");
    }
    if (def.keywrap) {
        refuse(def.where, "keywrap", "it is of s390 machines");
    }
    if (def.devices.nvram) {
        refuse(def.where, "nvram", "the device is of pSeries machines; UEFI's is in <os>");
    }
    if (def.launch_security && def.launch_security->type != LaunchSecurityType::sev) {
        refuse(def.launch_security->where,
               "launchSecurity",
               "type='{}' is of s390 machines; 'sev' is of PCs",
               name_of(def.launch_security->type));
    }
}

/// `unassigned` is for host devices that the guest is not to see.
void check_unassigned(const DomainDef& def) {
    for_each_device(def.devices, [&](const auto& device) {
        using D = std::remove_cvref_t<decltype(device)>;
        if constexpr (!std::is_same_v<D, HostdevDef>) {
            if (std::holds_alternative<UnassignedAddress>(device.info.address)) {
                refuse(device.info.where, "address", "type='unassigned' is for <hostdev>");
            }
        }
    });
}

void check_acpi_indexes(const DomainDef& def) {
    std::set<uint32_t> seen;
    for_each_device(def.devices, [&](const auto& device) {
        if (device.info.acpi_index && !seen.insert(*device.info.acpi_index).second) {
            refuse(device.info.where, "acpi", "index='{}' is used twice", *device.info.acpi_index);
        }
    });
}

/// What only devices on PCI have.
void check_pci_only(const DomainDef& def) {
    for_each_device(def.devices, [&](const auto& device) {
        const DeviceInfo& info = device.info;
        const bool pci = std::holds_alternative<std::monostate>(info.address) ||
                         std::holds_alternative<UnassignedAddress>(info.address) ||
                         info.pci() != nullptr;
        if (!pci && info.acpi_index) {
            refuse(info.where, "acpi", "index='{}' is for devices on PCI", *info.acpi_index);
        }
        if (!pci && info.rom) {
            refuse(info.where, "rom", "it is for devices on PCI");
        }
    });
}

void check_aliases(const DomainDef& def) {
    std::set<std::string> seen;
    for_each_device(def.devices, [&](const auto& device) {
        if constexpr (std::is_same_v<decltype(device), const ConsoleDef&>) {
            if (device.target_type == ConsoleTargetType::serial) {
                return; // it is the first serial port once more, under its name
            }
        }
        if (device.info.alias && !seen.insert(*device.info.alias).second) {
            refuse(device.info.where, "alias", "'{}' is used twice", *device.info.alias);
        }
    });
}

void check_boot_order(const DomainDef& def) {
    std::set<uint32_t> seen;
    for_each_device(def.devices, [&](const auto& device) {
        if (device.info.boot &&
            (device.info.boot->order == 0 || !seen.insert(device.info.boot->order).second)) {
            refuse(device.info.where,
                   "boot",
                   "order='{}' is used twice, or not a number from 1 on",
                   device.info.boot->order);
        }
    });
}

using Part = void (*)(const DomainDef&);

/// Parts that look at one family of devices each: what one refuses does not lead another astray.
void attempt_all(std::span<const Part> parts, const DomainDef& def) {
    Refusals refusals;
    for (const Part part : parts) {
        refusals.attempt([&] { part(def); });
    }
    refusals.raise();
}

} // namespace

void validate_document(const DomainDef& def) {
    constexpr Part of_themselves[] = {check_names,
                                      check_aliases,
                                      check_boot_order,
                                      check_unassigned,
                                      check_acpi_indexes,
                                      validate_controllers,
                                      validate_disks,
                                      validate_disk_images,
                                      validate_chardevs,
                                      validate_interfaces,
                                      validate_hostdevs,
                                      validate_displays,
                                      validate_small_devices,
                                      validate_cpu,
                                      validate_memory,
                                      validate_tuning,
                                      validate_seclabels};
    attempt_all(of_themselves, def);
}

void validate(const DomainDef& def, const HostFacts& facts) {
    check_machine(def, facts);
    validate_document(def);
    constexpr Part of_themselves[] = {check_pci_only,
                                      check_foreign,
                                      validate_firmware,
                                      validate_features,
                                      validate_qemu_controllers,
                                      validate_qemu_disks,
                                      validate_qemu_chardevs,
                                      validate_qemu_interfaces,
                                      validate_qemu_displays,
                                      validate_qemu_small_devices,
                                      validate_filesystems,
                                      validate_qemu_cpu};
    check_all([&] { attempt_all(of_themselves, def); },
              [&] { validate_memory_devices(def, facts); },
              [&] { validate_qemu_memory(def); });
}

} // namespace vireo::qemu
