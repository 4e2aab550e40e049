// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/connect_interface.hpp"

#include "qemu-driver/actions/define_domain.hpp"
#include "qemu-driver/actions/describe_host.hpp"
#include "qemu-driver/actions/domain_stats.hpp"
#include "qemu-driver/actions/host_cpu.hpp"
#include "qemu-driver/actions/list_domains.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/bus/flags.hpp"
#include "qemu-driver/bus/stats_dict.hpp"
#include "qemu-driver/capabilities/host_info.hpp"
#include "qemu-driver/documents.hpp"

#include <unistd.h>

#include <climits>

namespace vireo::qemu {

std::string ConnectInterface::hostname() const {
    char name[HOST_NAME_MAX + 1] = {};
    check_errno(gethostname(name, sizeof name - 1), "ask for the host's name");
    return name;
}

std::uint64_t ConnectInterface::lib_version() const {
    return 9'000'000; // the libvirt whose API and XML this is: 9.0.0
}

Task<std::uint64_t> ConnectInterface::version() {
    std::string emulator = default_emulator();
    const auto capabilities = co_await driver_.capabilities.get(std::move(emulator));
    co_return capabilities->version.number();
}

std::vector<DomainPtr> ConnectInterface::list_domains(std::uint32_t flags) {
    return actions::list_domains(driver_, flags);
}

DomainPtr ConnectInterface::lookup_by_id(std::int32_t id) {
    return driver_.registry.by_id(id);
}

DomainPtr ConnectInterface::lookup_by_name(std::string name) {
    return driver_.registry.by_name(name);
}

DomainPtr ConnectInterface::lookup_by_uuid(std::string uuid) {
    return driver_.registry.by_uuid(canonical_uuid(uuid));
}

Task<DomainPtr> ConnectInterface::define_xml(std::string xml) {
    return actions::define_domain(driver_, std::move(xml));
}

Task<DomainPtr>
ConnectInterface::create_xml(bus::Caller caller, std::string xml, std::uint32_t flags) {
    const auto options = actions::StartOptions::from_flags(flags);
    return actions::create_domain(driver_, std::move(xml), options, std::move(caller));
}

Task<std::vector<std::tuple<std::string, bus::LibvirtDict>>>
ConnectInterface::all_domain_stats(std::uint32_t stats, std::uint32_t flags) {
    std::vector<actions::DomainStats> all =
        co_await actions::all_domain_stats(driver_, stats, flags);
    std::vector<std::tuple<std::string, bus::LibvirtDict>> records;
    records.reserve(all.size());
    for (actions::DomainStats& one : all) {
        records.emplace_back(one.domain->name, to_dict(std::move(one.record)));
    }
    co_return records;
}

Task<std::string> ConnectInterface::capabilities() {
    return actions::describe_host(driver_);
}

Task<std::vector<std::string>> ConnectInterface::cpu_model_names(std::string arch,
                                                                 std::uint32_t flags) {
    require_no_flags(flags);
    return actions::cpu_model_names(driver_, std::move(arch));
}

Task<std::string> ConnectInterface::domain_capabilities(std::string emulator,
                                                        std::string arch,
                                                        std::string machine,
                                                        std::string virttype,
                                                        std::uint32_t flags) {
    require_no_flags(flags);
    actions::EmulatorQuestion question{
        std::move(emulator), std::move(arch), std::move(machine), std::move(virttype)};
    return actions::describe_emulator(driver_, std::move(question));
}

Task<std::string> ConnectInterface::baseline_cpu(std::vector<std::string> xml_cpus,
                                                 std::uint32_t flags) {
    return actions::baseline_cpu(driver_, std::move(xml_cpus), flags);
}

Task<std::int32_t> ConnectInterface::compare_cpu(std::string xml_desc, std::uint32_t flags) {
    return actions::compare_cpu(driver_, std::move(xml_desc), flags);
}

std::string ConnectInterface::sysinfo(std::uint32_t flags) {
    require_no_flags(flags);
    return sysinfo_xml(Sysfs());
}

std::vector<bool> ConnectInterface::cpu_map(std::uint32_t flags) {
    require_no_flags(flags);
    return read_cpu_map(Sysfs());
}

std::map<std::string, std::uint64_t> ConnectInterface::cpu_stats(std::int32_t cpu,
                                                                 std::uint32_t flags) {
    require_no_flags(flags);
    return read_cpu_stats(cpu, Sysfs());
}

std::tuple<std::string, std::string> ConnectInterface::security_model() {
    return {"none", "0"}; // libvirt's answer where no security driver is in use
}

const sd_bus_vtable connect_vtable[] = {
    bus::start(),
    bus::property<&ConnectInterface::encrypted>("Encrypted", bus::Changes::never),
    bus::property<&ConnectInterface::hostname>("Hostname"),
    bus::property<&ConnectInterface::lib_version>("LibVersion"),
    bus::property<&ConnectInterface::secure>("Secure", bus::Changes::never),
    bus::property<&ConnectInterface::version>("Version"),
    bus::method<&ConnectInterface::baseline_cpu, "xmlCPUs", "flags", "cpu">("BaselineCPU"),
    bus::method<&ConnectInterface::compare_cpu, "xmlDesc", "flags", "compareResult">("CompareCPU"),
    bus::method<&ConnectInterface::create_xml, "xml", "flags", "domain">("DomainCreateXML"),
    bus::method<&ConnectInterface::define_xml, "xml", "domain">("DomainDefineXML"),
    bus::method<&ConnectInterface::lookup_by_id, "id", "domain">("DomainLookupByID"),
    bus::method<&ConnectInterface::lookup_by_name, "name", "domain">("DomainLookupByName"),
    bus::method<&ConnectInterface::lookup_by_uuid, "uuid", "domain">("DomainLookupByUUID"),
    bus::method<&ConnectInterface::all_domain_stats, "stats", "flags", "records">(
        "GetAllDomainStats"),
    bus::method<&ConnectInterface::cpu_model_names, "arch", "flags", "models">("GetCPUModelNames"),
    bus::method<&ConnectInterface::capabilities, "capabilities">("GetCapabilities"),
    bus::method<&ConnectInterface::domain_capabilities,
                "emulatorbin",
                "arch",
                "machine",
                "virttype",
                "flags",
                "domCapabilities">("GetDomainCapabilities"),
    bus::method<&ConnectInterface::sysinfo, "flags", "sysinfo">("GetSysinfo"),
    bus::method<&ConnectInterface::list_domains, "flags", "domains">("ListDomains"),
    bus::method<&ConnectInterface::cpu_map, "flags", "res">("NodeGetCPUMap"),
    bus::method<&ConnectInterface::cpu_stats, "cpuNum", "flags", "cpuStats">("NodeGetCPUStats"),
    bus::method<&ConnectInterface::security_model, "secModel">("NodeGetSecurityModel"),
    bus::signal<"domain", "event", "detail">::of<bus::ObjectPath, std::int32_t, std::int32_t>(
        "DomainEvent"),
    bus::end(),
};

} // namespace vireo::qemu
