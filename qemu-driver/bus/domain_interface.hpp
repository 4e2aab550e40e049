// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/vtable.hpp"
#include "qemu-driver/actions/block_jobs.hpp"
#include "qemu-driver/driver.hpp"

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace vireo::qemu {

/// org.libvirt.Domain of one domain; made when a call arrives. Documentation of the members:
/// interfaces/.
class DomainInterface : public std::enable_shared_from_this<DomainInterface> {
  public:
    DomainInterface(Driver& driver, DomainPtr domain)
        : driver_(driver), domain_(std::move(domain)) {}

    /// virDomainJobInfo: type, times in ms, then total, processed, remaining of data, memory,
    /// files.
    using JobInfo = std::tuple<std::int32_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t,
                               std::uint64_t>;

    Scope& tasks() { return driver_.ctx.tasks; }

    bool active() const { return domain_->active(); }

    bool autostart() const { return domain_->autostart; }

    Task<void> set_autostart(bool autostart);
    std::uint32_t id() const;

    std::string name() const { return domain_->name; }

    std::string os_type() const { return "hvm"; }

    bool persistent() const { return domain_->persistent; }

    std::tuple<std::string, std::int32_t> scheduler_type() const { return {"posix", 0}; }

    bool updated() const { return domain_->updated; }

    std::string uuid() const { return domain_->uuid; }

    /// virDomainControlInfo: state, details, time in ms.
    using ControlInfo = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;

    void abort_job();
    Task<void> block_commit(std::string disk,
                            std::string base,
                            std::string top,
                            std::uint64_t bandwidth,
                            std::uint32_t flags);
    Task<void> block_copy(std::string disk, std::string xml, bus::Dict params, std::uint32_t flags);
    Task<void> block_job_abort(std::string disk, std::uint32_t flags);
    Task<void> block_job_set_speed(std::string disk, std::uint64_t bandwidth, std::uint32_t flags);
    Task<void> attach_device(std::string xml, std::uint32_t flags);
    Task<void> create(bus::Caller caller, std::uint32_t flags);
    Task<void> destroy(std::uint32_t flags);
    Task<void> detach_device(std::string xml, std::uint32_t flags);
    Task<actions::BlockJobInfo> get_block_job_info(std::string disk, std::uint32_t flags);
    ControlInfo get_control_info(std::uint32_t flags);
    JobInfo get_job_info();
    std::string get_metadata(std::int32_t type, std::string uri, std::uint32_t flags);
    std::tuple<std::int32_t, std::int32_t> get_state(std::uint32_t flags);
    Task<bus::LibvirtDict> get_stats(std::uint32_t stats, std::uint32_t flags);
    std::uint32_t get_vcpus(std::uint32_t flags);
    std::string get_xml_desc(std::uint32_t flags);
    Task<void> inject_nmi(std::uint32_t flags);
    Task<std::map<std::int32_t, std::uint64_t>> memory_stats(std::uint32_t flags);
    Task<void> pm_wakeup(std::uint32_t flags);
    Task<void> reboot(std::uint32_t flags);
    Task<void> rename(std::string name, std::uint32_t flags);
    Task<void> reset(std::uint32_t flags);
    Task<void> resume();
    Task<void> send_key(std::uint32_t codeset,
                        std::uint32_t holdtime,
                        std::vector<std::uint32_t> keycodes,
                        std::uint32_t flags);
    Task<void> set_memory(std::uint64_t kib, std::uint32_t flags);
    Task<void> set_memory_stats_period(std::int32_t seconds, std::uint32_t flags);
    Task<void> set_metadata(std::int32_t type,
                            std::string metadata,
                            std::string key,
                            std::string uri,
                            std::uint32_t flags);
    std::vector<bus::ObjectPath> list_domain_snapshots(std::uint32_t flags);
    Task<void> shutdown(std::uint32_t flags);
    Task<bus::ObjectPath> snapshot_create_xml(std::string xml, std::uint32_t flags);
    bus::ObjectPath snapshot_current(std::uint32_t flags);
    bus::ObjectPath snapshot_lookup_by_name(std::string name, std::uint32_t flags);
    Task<void> suspend();
    Task<void> undefine(std::uint32_t flags);
    Task<void> update_device(std::string xml, std::uint32_t flags);

  private:
    Driver& driver_;
    DomainPtr domain_;
};

extern const sd_bus_vtable domain_vtable[];

} // namespace vireo::qemu
