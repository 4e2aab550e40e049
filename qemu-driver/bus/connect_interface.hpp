// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/vtable.hpp"
#include "qemu-driver/bus/domain_argument.hpp"
#include "qemu-driver/driver.hpp"

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace vireo::qemu {

/// QEMU's part of org.libvirt.Connect. Documentation of the members: interfaces/.
class ConnectInterface : public std::enable_shared_from_this<ConnectInterface> {
  public:
    explicit ConnectInterface(Driver& driver) : driver_(driver) {}

    Scope& tasks() { return driver_.ctx.tasks; }

    bool encrypted() const { return false; }

    bool secure() const { return true; }

    std::string hostname() const;
    std::uint64_t lib_version() const;
    Task<std::uint64_t> version();

    std::vector<DomainPtr> list_domains(std::uint32_t flags);
    DomainPtr lookup_by_id(std::int32_t id);
    DomainPtr lookup_by_name(std::string name);
    DomainPtr lookup_by_uuid(std::string uuid);
    Task<DomainPtr> define_xml(std::string xml);
    Task<DomainPtr> create_xml(bus::Caller caller, std::string xml, std::uint32_t flags);
    Task<std::vector<std::tuple<std::string, bus::LibvirtDict>>>
    all_domain_stats(std::uint32_t stats, std::uint32_t flags);

    Task<std::string> capabilities();
    Task<std::vector<std::string>> cpu_model_names(std::string arch, std::uint32_t flags);
    Task<std::string> domain_capabilities(std::string emulator,
                                          std::string arch,
                                          std::string machine,
                                          std::string virttype,
                                          std::uint32_t flags);
    Task<std::string> baseline_cpu(std::vector<std::string> xml_cpus, std::uint32_t flags);
    Task<std::int32_t> compare_cpu(std::string xml_desc, std::uint32_t flags);
    std::string sysinfo(std::uint32_t flags);
    std::vector<bool> cpu_map(std::uint32_t flags);
    std::map<std::string, std::uint64_t> cpu_stats(std::int32_t cpu, std::uint32_t flags);
    std::tuple<std::string, std::string> security_model();

  private:
    Driver& driver_;
};

extern const sd_bus_vtable connect_vtable[];

} // namespace vireo::qemu
