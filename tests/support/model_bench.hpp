// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/domain_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// What tests of the domain model's passes need: a host without surprises, small documents.
namespace vireo::testing {

/// A host with one QEMU that has the machines `pc` and `q35` and the common devices.
inline qemu::HostFacts model_facts() {
    auto caps = std::make_shared<qemu::QemuCapabilities>();
    for (const char* alias : {"pc", "q35"}) {
        qemu::MachineType machine;
        machine.name = alias == std::string_view("pc") ? "pc-i440fx-7.2" : "pc-q35-7.2";
        machine.alias = alias;
        machine.default_cpu = "qemu64";
        machine.max_cpus = 288;
        machine.is_default = alias == std::string_view("pc");
        caps->machines.push_back(machine);
    }
    caps->types = {"piix3-usb-uhci",
                   "qemu-xhci",
                   "lsi",
                   "virtio-scsi-pci",
                   "rtl8139",
                   "virtio-net-pci",
                   "cirrus-vga",
                   "pcie-root-port",
                   "pcie-pci-bridge"};
    qemu::HostFacts facts;
    facts.arch = "x86_64";
    facts.emulators = {{"x86_64", "/usr/bin/qemu"}};
    facts.qemu = caps;
    facts.expand_machine_aliases = false;
    facts.nvram_dir = "/var/lib/vireo/nvram";
    facts.random_bytes = [](std::span<uint8_t> out) { std::ranges::fill(out, uint8_t{0}); };
    return facts;
}

/// A guest on lines 1 to 4; `devices` begin on line 5, `more` stands before them.
inline std::string
guest(std::string_view devices, std::string_view more = "", std::string_view machine = "pc") {
    return fmt::format("<domain type='kvm'><name>guest</name>\n"
                       "<memory>1048576</memory><vcpu>4</vcpu>\n"
                       "<os><type arch='x86_64' machine='{}'>hvm</type></os>\n"
                       "{}<devices>\n{}</devices></domain>",
                       machine,
                       more,
                       devices);
}

/// The guest after all passes.
inline qemu::DomainDef completed(const std::string& text, qemu::PassOptions options = {}) {
    qemu::DomainDef def = qemu::parse_domain(text, options.active);
    qemu::complete_domain(def, model_facts(), options);
    return def;
}

/// What a document is refused with; "accepted" if it is not.
inline std::string refusal(const std::string& text, qemu::PassOptions options = {}) {
    try {
        completed(text, options);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

} // namespace vireo::testing
