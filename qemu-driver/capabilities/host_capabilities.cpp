// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/host_capabilities.hpp"

#include "libshared/xml/writer.hpp"

#include <algorithm>
#include <set>

namespace vireo::qemu {

namespace {

using xml::Writer;

void attribute(Writer& out, const char* name, uint64_t value) {
    out.attribute(name, std::to_string(value));
}

void write_cpu(Writer& out, const HostCpu& cpu) {
    out.open("cpu");
    attribute(out, "id", cpu.id);
    if (cpu.socket && cpu.die && cpu.core) {
        attribute(out, "socket_id", *cpu.socket);
        attribute(out, "die_id", *cpu.die);
        attribute(out, "core_id", *cpu.core);
        out.attribute("siblings", cpu.siblings);
    }
    out.close();
}

void write_cell(Writer& out, const HostCell& cell) {
    out.open("cell");
    attribute(out, "id", cell.id);
    out.open("memory");
    out.attribute("unit", "KiB");
    out.text(std::to_string(cell.memory_kib));
    out.close();
    for (const HostPages& pages : cell.pages) {
        out.open("pages");
        out.attribute("unit", "KiB");
        attribute(out, "size", pages.size_kib);
        out.text(std::to_string(pages.count));
        out.close();
    }
    if (!cell.distances.empty()) {
        out.open("distances");
        for (const auto& [to, value] : cell.distances) {
            out.open("sibling");
            attribute(out, "id", to);
            attribute(out, "value", value);
            out.close();
        }
        out.close();
    }
    out.open("cpus");
    attribute(out, "num", cell.cpus.size());
    for (const HostCpu& cpu : cell.cpus) {
        write_cpu(out, cpu);
    }
    out.close();
    out.close();
}

/// Sockets, cores and threads as if each socket were like the first; libvirt shows them so.
void write_topology(Writer& out, const HostInfo& host) {
    std::set<uint32_t> sockets;
    std::set<std::pair<uint32_t, uint32_t>> dies;
    std::set<std::tuple<uint32_t, uint32_t, uint32_t>> cores;
    size_t threads = 0;
    for (const HostCell& cell : host.cells) {
        for (const HostCpu& cpu : cell.cpus) {
            if (cpu.socket && cpu.die && cpu.core) {
                sockets.insert(*cpu.socket);
                dies.emplace(*cpu.socket, *cpu.die);
                cores.emplace(*cpu.socket, *cpu.die, *cpu.core);
                ++threads;
            }
        }
    }
    if (cores.empty()) {
        return;
    }
    out.open("topology");
    attribute(out, "sockets", sockets.size());
    attribute(out, "dies", std::max<size_t>(dies.size() / sockets.size(), 1));
    attribute(out, "cores", std::max<size_t>(cores.size() / dies.size(), 1));
    attribute(out, "threads", std::max<size_t>(threads / cores.size(), 1));
    out.close();
}

/// Of a host: all features, each without a word on what a guest must have.
void write_cpu_model(Writer& out, const CpuChoice& cpu) {
    out.element("model", cpu.model);
    out.element("vendor", cpu.vendor);
}

void write_cpu_features(Writer& out, const CpuChoice& cpu) {
    for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
        if (cpu.required[i]) {
            out.open("feature");
            out.attribute("name", libvirt_feature(cpu_feature_names()[i]));
            out.close();
        }
    }
}

void write_host(Writer& out, const HostInfo& host, const std::optional<CpuChoice>& cpu) {
    out.open("host");
    if (host.uuid) {
        out.element("uuid", *host.uuid);
    }
    out.open("cpu");
    out.element("arch", host.arch);
    if (cpu) {
        write_cpu_model(out, *cpu);
    } else if (!host.cpu_vendor.empty()) {
        out.element("vendor", libvirt_vendor(host.cpu_vendor));
    }
    write_topology(out, host);
    if (cpu) {
        write_cpu_features(out, *cpu);
    }
    if (!host.cells.empty()) {
        for (const HostPages& pages : host.cells.front().pages) {
            out.open("pages");
            out.attribute("unit", "KiB");
            attribute(out, "size", pages.size_kib);
            out.close();
        }
    }
    out.close();
    out.open("power_management");
    for (const std::string& state : host.sleep_states) {
        out.open(state);
        out.close();
    }
    out.close();
    out.open("iommu");
    out.attribute("support", host.iommu ? "yes" : "no");
    out.close();
    out.open("topology");
    out.open("cells");
    attribute(out, "num", host.cells.size());
    for (const HostCell& cell : host.cells) {
        write_cell(out, cell);
    }
    out.close();
    out.close();
    out.open("secmodel");
    out.element("model", "none");
    out.element("doi", "0");
    out.close();
    out.close();
}

void write_machine(Writer& out, const MachineType& machine, bool as_alias) {
    out.open("machine");
    if (as_alias) {
        out.attribute("canonical", machine.name);
    }
    attribute(out, "maxCpus", machine.max_cpus);
    if (machine.deprecated) {
        out.attribute("deprecated", "yes");
    }
    out.text(as_alias ? machine.alias : machine.name);
    out.close();
}

void write_switch(Writer& out, const char* name, bool toggle) {
    out.open(name);
    out.attribute("default", "on");
    out.attribute("toggle", toggle ? "yes" : "no");
    out.close();
}

void write_guest(Writer& out, const QemuCapabilities& caps) {
    out.open("guest");
    out.element("os_type", "hvm");
    out.open("arch");
    out.attribute("name", caps.arch == "i386" ? "i686" : caps.arch);
    out.element("wordsize", caps.arch == "i386" ? "32" : "64");
    out.element("emulator", caps.binary);
    for (const MachineType& machine : caps.machines) {
        write_machine(out, machine, false);
        if (!machine.alias.empty()) {
            write_machine(out, machine, true);
        }
    }
    for (const char* type : {"qemu", "kvm"}) {
        if (std::string_view(type) == "qemu" || caps.kvm_enabled) {
            out.open("domain");
            out.attribute("type", type);
            out.close();
        }
    }
    out.close();
    out.open("features");
    write_switch(out, "acpi", true);
    write_switch(out, "apic", false);
    for (const char* feature : {"cpuselection", "deviceboot"}) {
        out.open(feature);
        out.close();
    }
    write_switch(out, "disksnapshot", false);
    out.open("externalSnapshot");
    out.close();
    out.close();
    out.close();
}

} // namespace

std::string capabilities_xml(const HostInfo& host,
                             const std::optional<CpuChoice>& cpu,
                             std::span<const QemuCapabilities* const> emulators) {
    Writer out;
    out.open("capabilities");
    write_host(out, host, cpu);
    for (const QemuCapabilities* caps : emulators) {
        write_guest(out, *caps);
    }
    out.close();
    return out.take();
}

std::vector<std::string> cpu_model_names(const QemuCapabilities& caps) {
    std::vector<std::string> names;
    for (const CpuModel& model : caps.cpu_models(caps.kvm_enabled)) {
        if (model.name != "host" && model.name != "max" && model.name != "base") {
            names.push_back(model.name);
        }
    }
    return names;
}

} // namespace vireo::qemu
