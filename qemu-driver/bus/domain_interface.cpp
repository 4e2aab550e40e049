// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/domain_interface.hpp"

#include "qemu-driver/actions/change_device.hpp"
#include "qemu-driver/actions/control_guest.hpp"
#include "qemu-driver/actions/define_domain.hpp"
#include "qemu-driver/actions/describe_domain.hpp"
#include "qemu-driver/actions/domain_memory.hpp"
#include "qemu-driver/actions/domain_metadata.hpp"
#include "qemu-driver/actions/domain_stats.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/send_key.hpp"
#include "qemu-driver/actions/snapshot_domain.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/actions/stop_guest.hpp"
#include "qemu-driver/bus/flags.hpp"
#include "qemu-driver/bus/snapshot_interface.hpp"
#include "qemu-driver/bus/stats_dict.hpp"
#include "qemu-driver/snapshot_path.hpp"

namespace vireo::qemu {

Task<void> DomainInterface::set_autostart(bool autostart) {
    return actions::set_autostart(driver_, domain_, autostart);
}

std::uint32_t DomainInterface::id() const {
    // virDomainGetID of an inactive domain is (unsigned int)-1.
    return domain_->active() ? domain_->guest->id : 0xffff'ffffU;
}

void DomainInterface::abort_job() {
    actions::active_guest(*domain_);
    throw Error(ErrorCode::operation_invalid, "no job is active on the domain");
}

Task<void> DomainInterface::attach_device(std::string xml, std::uint32_t flags) {
    return actions::attach_device(driver_, domain_, std::move(xml), flags);
}

Task<void> DomainInterface::block_commit(std::string disk,
                                         std::string base,
                                         std::string top,
                                         std::uint64_t bandwidth,
                                         std::uint32_t flags) {
    return actions::commit_disk(
        driver_, domain_, std::move(disk), std::move(base), std::move(top), bandwidth, flags);
}

Task<void> DomainInterface::block_copy(std::string disk,
                                       std::string xml,
                                       bus::Dict params,
                                       std::uint32_t flags) {
    return actions::copy_disk(
        driver_, domain_, std::move(disk), std::move(xml), std::move(params), flags);
}

Task<void> DomainInterface::block_job_abort(std::string disk, std::uint32_t flags) {
    return actions::abort_block_job(driver_, domain_, std::move(disk), flags);
}

Task<void> DomainInterface::block_job_set_speed(std::string disk,
                                                std::uint64_t bandwidth,
                                                std::uint32_t flags) {
    return actions::set_block_job_speed(driver_, domain_, std::move(disk), bandwidth, flags);
}

Task<actions::BlockJobInfo> DomainInterface::get_block_job_info(std::string disk,
                                                                std::uint32_t flags) {
    return actions::block_job_info(driver_, domain_, std::move(disk), flags);
}

std::vector<bus::ObjectPath> DomainInterface::list_domain_snapshots(std::uint32_t flags) {
    return list_snapshots(driver_, *domain_, std::string(), flags);
}

Task<bus::ObjectPath> DomainInterface::snapshot_create_xml(std::string xml, std::uint32_t flags) {
    const std::string name =
        co_await actions::snapshot_domain(driver_, domain_, std::move(xml), flags);
    co_return bus::ObjectPath(snapshot_path(*domain_, name));
}

bus::ObjectPath DomainInterface::snapshot_current(std::uint32_t flags) {
    require_no_flags(flags);
    const auto snapshot = driver_.snapshots.current(domain_->uuid);
    if (!snapshot) {
        throw Error(ErrorCode::no_domain_snapshot, "the domain does not have a current snapshot");
    }
    return bus::ObjectPath(snapshot_path(*domain_, snapshot->name));
}

bus::ObjectPath DomainInterface::snapshot_lookup_by_name(std::string name, std::uint32_t flags) {
    require_no_flags(flags);
    return bus::ObjectPath(
        snapshot_path(*domain_, driver_.snapshots.find(domain_->uuid, name)->name));
}

Task<void> DomainInterface::create(bus::Caller caller, std::uint32_t flags) {
    return actions::start_domain(
        driver_, domain_, actions::StartOptions::from_flags(flags), std::move(caller));
}

Task<void> DomainInterface::destroy(std::uint32_t flags) {
    constexpr std::uint32_t graceful = 1; // VIR_DOMAIN_DESTROY_GRACEFUL
    require_no_flags(flags & ~graceful);
    return actions::destroy_domain(driver_, domain_, (flags & graceful) != 0);
}

Task<void> DomainInterface::detach_device(std::string xml, std::uint32_t flags) {
    return actions::detach_device(driver_, domain_, std::move(xml), flags);
}

DomainInterface::ControlInfo DomainInterface::get_control_info(std::uint32_t flags) {
    require_no_flags(flags);
    constexpr std::uint32_t broken = 3;         // VIR_DOMAIN_CONTROL_ERROR
    constexpr std::uint32_t broken_monitor = 2; // VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR
    if (actions::active_guest(*domain_)->monitor->closed()) {
        return {broken, broken_monitor, 0};
    }
    return {};
}

DomainInterface::JobInfo DomainInterface::get_job_info() {
    actions::active_guest(*domain_);
    return {}; // VIR_DOMAIN_JOB_NONE: no action is a job
}

std::string DomainInterface::get_metadata(std::int32_t type, std::string uri, std::uint32_t flags) {
    return actions::get_metadata(driver_, *domain_, metadata_type(type), uri, flags);
}

std::tuple<std::int32_t, std::int32_t> DomainInterface::get_state(std::uint32_t flags) {
    require_no_flags(flags);
    return {static_cast<std::int32_t>(domain_->state.state), domain_->state.reason};
}

Task<bus::LibvirtDict> DomainInterface::get_stats(std::uint32_t stats, std::uint32_t flags) {
    actions::StatsRecord record = co_await actions::domain_stats(driver_, domain_, stats, flags);
    co_return to_dict(std::move(record));
}

std::uint32_t DomainInterface::get_vcpus(std::uint32_t flags) {
    return actions::vcpu_count(driver_, *domain_, flags);
}

std::string DomainInterface::get_xml_desc(std::uint32_t flags) {
    return actions::describe_domain(driver_, *domain_, flags);
}

Task<void> DomainInterface::inject_nmi(std::uint32_t flags) {
    require_no_flags(flags);
    return actions::inject_nmi(driver_, domain_);
}

Task<std::map<std::int32_t, std::uint64_t>> DomainInterface::memory_stats(std::uint32_t flags) {
    require_no_flags(flags);
    return actions::memory_stats(driver_, domain_);
}

Task<void> DomainInterface::pm_wakeup(std::uint32_t flags) {
    require_no_flags(flags);
    return actions::wake_domain(driver_, domain_);
}

Task<void> DomainInterface::reboot(std::uint32_t flags) {
    return actions::reboot_domain(driver_, domain_, flags);
}

Task<void> DomainInterface::rename(std::string name, std::uint32_t flags) {
    return actions::rename_domain(driver_, domain_, std::move(name), flags);
}

Task<void> DomainInterface::reset(std::uint32_t flags) {
    require_no_flags(flags);
    return actions::reset_domain(driver_, domain_);
}

Task<void> DomainInterface::resume() {
    return actions::resume_domain(driver_, domain_);
}

Task<void> DomainInterface::send_key(std::uint32_t codeset,
                                     std::uint32_t holdtime,
                                     std::vector<std::uint32_t> keycodes,
                                     std::uint32_t flags) {
    require_no_flags(flags);
    return actions::send_key(
        driver_, domain_, actions::KeyPress{codeset, holdtime, std::move(keycodes)});
}

Task<void> DomainInterface::set_memory(std::uint64_t kib, std::uint32_t flags) {
    return actions::set_memory(driver_, domain_, kib, flags);
}

Task<void> DomainInterface::set_memory_stats_period(std::int32_t seconds, std::uint32_t flags) {
    return actions::set_memory_stats_period(driver_, domain_, seconds, flags);
}

Task<void> DomainInterface::set_metadata(std::int32_t type,
                                         std::string metadata,
                                         std::string key,
                                         std::string uri,
                                         std::uint32_t flags) {
    MetadataEdit edit{metadata_type(type), std::move(metadata), std::move(key), std::move(uri)};
    return actions::set_metadata(driver_, domain_, std::move(edit), flags);
}

Task<void> DomainInterface::shutdown(std::uint32_t flags) {
    return actions::shutdown_domain(driver_, domain_, flags);
}

Task<void> DomainInterface::suspend() {
    return actions::suspend_domain(driver_, domain_);
}

Task<void> DomainInterface::undefine(std::uint32_t flags) {
    return actions::undefine_domain(driver_, domain_, flags);
}

Task<void> DomainInterface::update_device(std::string xml, std::uint32_t flags) {
    return actions::update_device(driver_, domain_, std::move(xml), flags);
}

using GraphicsAddress = std::tuple<std::int32_t, std::string, std::string>;
using GraphicsIdentities = std::vector<std::tuple<std::string, std::string>>;
const sd_bus_vtable domain_vtable[] = {
    bus::start(),
    bus::property<&DomainInterface::active>("Active"),
    bus::writable<&DomainInterface::autostart, &DomainInterface::set_autostart>("Autostart"),
    bus::property<&DomainInterface::id>("Id"),
    bus::property<&DomainInterface::name>("Name"),
    bus::property<&DomainInterface::os_type>("OSType"),
    bus::property<&DomainInterface::persistent>("Persistent"),
    bus::property<&DomainInterface::scheduler_type>("SchedulerType"),
    bus::property<&DomainInterface::updated>("Updated"),
    bus::property<&DomainInterface::uuid>("UUID", bus::Changes::never),
    bus::method<&DomainInterface::abort_job>("AbortJob"),
    bus::method<&DomainInterface::attach_device, "xml", "flags">("AttachDevice"),
    bus::method<&DomainInterface::block_commit, "disk", "base", "top", "bandwidth", "flags">(
        "BlockCommit"),
    bus::method<&DomainInterface::block_copy, "disk", "destxml", "params", "flags">("BlockCopy"),
    bus::method<&DomainInterface::block_job_abort, "disk", "flags">("BlockJobAbort"),
    bus::method<&DomainInterface::block_job_set_speed, "disk", "bandwidth", "flags">(
        "BlockJobSetSpeed"),
    bus::method<&DomainInterface::create, "flags">("Create"),
    bus::method<&DomainInterface::destroy, "flags">("Destroy"),
    bus::method<&DomainInterface::detach_device, "xml", "flags">("DetachDevice"),
    bus::method<&DomainInterface::get_block_job_info, "disk", "flags", "blockJobInfo">(
        "GetBlockJobInfo"),
    bus::method<&DomainInterface::get_control_info, "flags", "controlInfo">("GetControlInfo"),
    bus::method<&DomainInterface::get_job_info, "jobInfo">("GetJobInfo"),
    bus::method<&DomainInterface::get_metadata, "type", "uri", "flags", "metadata">("GetMetadata"),
    bus::method<&DomainInterface::get_state, "flags", "state">("GetState"),
    bus::method<&DomainInterface::get_stats, "stats", "flags", "records">("GetStats"),
    bus::method<&DomainInterface::get_vcpus, "flags", "vcpus">("GetVcpus"),
    bus::method<&DomainInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::method<&DomainInterface::inject_nmi, "flags">("InjectNMI"),
    bus::method<&DomainInterface::list_domain_snapshots, "flags", "domainSnapshots">(
        "ListDomainSnapshots"),
    bus::method<&DomainInterface::memory_stats, "flags", "stats">("MemoryStats"),
    bus::method<&DomainInterface::pm_wakeup, "flags">("PMWakeup"),
    bus::method<&DomainInterface::reboot, "flags">("Reboot"),
    bus::method<&DomainInterface::rename, "name", "flags">("Rename"),
    bus::method<&DomainInterface::reset, "flags">("Reset"),
    bus::method<&DomainInterface::resume>("Resume"),
    bus::method<&DomainInterface::send_key, "codeset", "holdtime", "keycodes", "flags">("SendKey"),
    bus::method<&DomainInterface::set_memory, "memory", "flags">("SetMemory"),
    bus::method<&DomainInterface::set_memory_stats_period, "period", "flags">(
        "SetMemoryStatsPeriod"),
    bus::method<&DomainInterface::set_metadata, "type", "metadata", "key", "uri", "flags">(
        "SetMetadata"),
    bus::method<&DomainInterface::shutdown, "flags">("Shutdown"),
    bus::method<&DomainInterface::snapshot_create_xml, "xml", "flags", "domainSnapshot">(
        "SnapshotCreateXML"),
    bus::method<&DomainInterface::snapshot_current, "flags", "domainSnapshot">("SnapshotCurrent"),
    bus::method<&DomainInterface::snapshot_lookup_by_name, "name", "flags", "domainSnapshot">(
        "SnapshotLookupByName"),
    bus::method<&DomainInterface::suspend>("Suspend"),
    bus::method<&DomainInterface::undefine, "flags">("Undefine"),
    bus::method<&DomainInterface::update_device, "xml", "flags">("UpdateDevice"),
    bus::signal<"state", "reason">::of<std::int32_t, std::int32_t>("AgentEvent"),
    bus::signal<"actual">::of<std::uint64_t>("BalloonChange"),
    bus::signal<"disk", "type", "status">::of<std::string, std::int32_t, std::int32_t>("BlockJob"),
    bus::signal<"device">::of<std::string>("DeviceAdded"),
    bus::signal<"device">::of<std::string>("DeviceRemovalFailed"),
    bus::signal<"device">::of<std::string>("DeviceRemoved"),
    bus::signal<"phase", "local", "remote", "authScheme", "identities">::
        of<std::int32_t, GraphicsAddress, GraphicsAddress, std::string, GraphicsIdentities>(
            "Graphics"),
    bus::signal<"srcPath", "device", "action", "reason">::
        of<std::string, std::string, std::int32_t, std::string>("IOError"),
    bus::signal<"type", "nsuri">::of<std::int32_t, std::string>("MetadataChange"),
    bus::signal<"reason">::of<std::int32_t>("PMSuspend"),
    bus::signal<"reason">::of<std::int32_t>("PMSuspendDisk"),
    bus::signal<"reason">::of<std::int32_t>("PMWakeup"),
    bus::signal<>::of<>("Reboot"),
    bus::signal<"utcoffset">::of<std::int64_t>("RTCChange"),
    bus::signal<"device", "reason">::of<std::string, std::int32_t>("TrayChange"),
    bus::signal<"action">::of<std::int32_t>("Watchdog"),
    bus::end(),
};

} // namespace vireo::qemu
