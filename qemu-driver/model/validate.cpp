// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/validate.hpp"

#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/problem.hpp"

#include <set>

namespace vireo::qemu {

namespace {

void check_names(const DomainDef& def) {
    if (def.name.empty() || def.name.find('/') != std::string::npos ||
        def.name.find_first_not_of(" \t\r\n") == std::string::npos) {
        refuse(def.where, "name", "'{}' is no name for a domain; it may not hold '/'", def.name);
    }
    if (def.os.type != "hvm") {
        refuse(def.where, "type", "'{}' is not supported; QEMU's guests are 'hvm'", def.os.type);
    }
    if (def.title && def.title->find('\n') != std::string::npos) {
        refuse(def.where, "title", "it has more than one line");
    }
    if (def.os.arch != "x86_64" && def.os.arch != "i686") {
        refuse(def.where, "type", "arch='{}' is not supported", *def.os.arch);
    }
}

void check_aliases(const DomainDef& def) {
    std::set<std::string> seen;
    for_each_device(def.devices, [&](const auto& device) {
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

void check_controllers(const DomainDef& def) {
    std::set<std::pair<ControllerType, uint32_t>> seen;
    for (const ControllerDef& c : def.devices.controllers) {
        if (!c.master_start_port && !seen.insert({c.type, *c.index}).second &&
            c.type != ControllerType::usb) {
            refuse(c.info.where,
                   "controller",
                   "there are two controllers of type '{}' with index '{}'",
                   name_of(c.type),
                   *c.index);
        }
    }
}

} // namespace

void validate(const DomainDef& def, const HostFacts& facts) {
    check_names(def);
    const MachineType* machine = facts.qemu->machine(*def.os.machine);
    if (machine == nullptr) {
        refuse(def.where, "type", "this QEMU has no machine '{}'", *def.os.machine);
    }
    if (machine->max_cpus != 0 && def.vcpus.maximum > machine->max_cpus) {
        refuse(def.where,
               "vcpu",
               "machine '{}' has at most {} CPUs, not {}",
               *def.os.machine,
               machine->max_cpus,
               def.vcpus.maximum);
    }
    check_aliases(def);
    check_boot_order(def);
    check_controllers(def);
    validate_disks(def);
}

} // namespace vireo::qemu
