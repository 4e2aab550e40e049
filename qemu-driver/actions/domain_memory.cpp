// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/domain_memory.hpp"

#include "qemu-driver/actions/both_documents.hpp"
#include "qemu-driver/actions/domain_stats.hpp"
#include "qemu-driver/actions/impact.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <array>
#include <variant>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

constexpr std::uint32_t maximum_flag = 4;       // of memory and of vCPUs alike
constexpr std::uint32_t guest_flag = 8;         // of vCPUs
constexpr std::uint32_t hotpluggable_flag = 16; // of vCPUs

void require_balloon(const DomainDef& def) {
    if (!has_balloon(def)) {
        throw Error(ErrorCode::operation_invalid,
                    "the memory of a running domain cannot be changed without a balloon device: "
                    "its <memballoon> has model 'none'");
    }
}

std::string balloon_path(const DomainDef& live) {
    return "/machine/peripheral/" + live.devices.memballoon->info.alias.value_or("");
}

void require_fits(std::uint64_t kib, const DomainDef& def) {
    if (kib > def.memory.total_kib) {
        throw Error(ErrorCode::invalid_arg,
                    "memory of {} KiB is more than the domain's maximum of {} KiB",
                    kib,
                    def.memory.total_kib);
    }
}

void set_maximum(DomainDef& def, std::uint64_t kib) {
    if (def.cpu && !def.cpu->cells.empty()) {
        throw Error(ErrorCode::operation_invalid,
                    "the memory of a domain with NUMA cells is theirs: define it anew");
    }
    if (kib == 0) {
        throw Error(ErrorCode::invalid_arg, "memory: 0 KiB is none");
    }
    def.memory.total_kib = kib;
    def.memory.current_kib = std::min(def.memory.current_kib.value_or(kib), kib);
}

/// The stored definition as `edit` leaves it.
Definition edited(const Driver& driver,
                  const Domain& domain,
                  const std::function<void(DomainDef& def)>& edit) {
    auto def = std::make_shared<DomainDef>(stored_definition(driver, domain));
    edit(*def);
    return def;
}

/// Asks the guest to leave its balloon so much of its memory altogether.
Task<void> set_balloon(Driver& driver, std::shared_ptr<Guest> guest, std::uint64_t kib) {
    json target;
    target["value"] = balloon_target_kib(*guest->live, kib) * bytes_per_kib;
    co_await monitor_command(driver, guest, "balloon", std::move(target));
    guest->balloon_target_kib = kib;
}

Task<void> set_stats_period(Driver& driver, std::shared_ptr<Guest> guest, std::uint32_t seconds) {
    json period;
    period["path"] = balloon_path(*guest->live);
    period["property"] = "guest-stats-polling-interval";
    period["value"] = seconds;
    co_await monitor_command(driver, guest, "qom-set", std::move(period));
    auto live = std::make_shared<DomainDef>(*guest->live);
    live->devices.memballoon->stats_period_s = seconds;
    guest->live = std::move(live);
}

/// virDomainMemoryStatTags of the fields that domain_stats() gives.
constexpr std::array<std::pair<std::string_view, std::int32_t>, 13> memory_tags{
    {{"balloon.swap_in", 0},
     {"balloon.swap_out", 1},
     {"balloon.major_fault", 2},
     {"balloon.minor_fault", 3},
     {"balloon.unused", 4},
     {"balloon.available", 5},
     {"balloon.current", 6},
     {"balloon.rss", 7},
     {"balloon.usable", 8},
     {"balloon.last-update", 9},
     {"balloon.disk_caches", 10},
     {"balloon.hugetlb_pgalloc", 11},
     {"balloon.hugetlb_pgfail", 12}}};

} // namespace

Task<void> set_memory(Driver& driver, DomainPtr domain, std::uint64_t kib, std::uint32_t flags) {
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags & ~maximum_flag);
    const bool maximum = (flags & maximum_flag) != 0;
    if (maximum && impact.live) {
        throw Error(ErrorCode::operation_invalid,
                    "cannot resize the maximum memory on an active domain");
    }
    Definition stored;
    if (impact.config) {
        stored = edited(driver, *domain, [kib, maximum](DomainDef& def) {
            if (maximum) {
                set_maximum(def, kib);
                return;
            }
            require_fits(kib, def);
            def.memory.current_kib = kib;
        });
    }
    const std::shared_ptr<Guest> guest = impact.live ? active_guest(*domain) : nullptr;
    TakeBack take_back;
    if (guest) {
        require_balloon(*guest->live);
        require_fits(kib, *guest->live);
        const std::uint64_t before_kib =
            guest->balloon_target_kib.value_or(guest->live->memory.total_kib);
        co_await set_balloon(driver, guest, kib);
        take_back = [&driver, guest, before_kib] { return set_balloon(driver, guest, before_kib); };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
    if (guest && domain->guest == guest) {
        tell_of_memory(driver, *domain);
    }
}

Task<void> set_memory_stats_period(Driver& driver,
                                   DomainPtr domain,
                                   std::int32_t seconds,
                                   std::uint32_t flags) {
    if (seconds < 0) {
        throw Error(ErrorCode::invalid_arg, "period: {} is less than no time", seconds);
    }
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags);
    const auto wanted = static_cast<std::uint32_t>(seconds);
    Definition stored;
    if (impact.config) {
        stored = edited(driver, *domain, [wanted](DomainDef& def) {
            require_balloon(def);
            def.devices.memballoon->stats_period_s = wanted;
        });
    }
    const std::shared_ptr<Guest> guest = impact.live ? active_guest(*domain) : nullptr;
    TakeBack take_back;
    if (guest) {
        require_balloon(*guest->live);
        const std::uint32_t before = guest->live->devices.memballoon->stats_period_s.value_or(0);
        co_await set_stats_period(driver, guest, wanted);
        take_back = [&driver, guest, before] { return set_stats_period(driver, guest, before); };
    }
    co_await store_or(driver, domain, std::move(stored), std::move(take_back));
    if (guest && domain->guest == guest) { // it may have ended meanwhile
        save_status(driver, *domain);
    }
}

Task<std::map<std::int32_t, std::uint64_t>> memory_stats(Driver& driver, DomainPtr domain) {
    active_guest(*domain);
    StatsRecord record = co_await domain_stats(driver, domain, stats_group::balloon, 0);
    std::map<std::int32_t, std::uint64_t> stats;
    for (const auto& [field, value] : record) {
        for (const auto& [name, tag] : memory_tags) {
            if (field == name) {
                stats.emplace(tag, std::get<std::uint64_t>(value));
            }
        }
    }
    co_return stats;
}

std::uint32_t vcpu_count(Driver& driver, Domain& domain, std::uint32_t flags) {
    if ((flags & (guest_flag | hotpluggable_flag)) != 0) {
        throw Error(ErrorCode::argument_unsupported,
                    "vcpus: flags GUEST (8) and HOTPLUGGABLE (16) are not supported");
    }
    const Impact impact = read_impact_of(domain, flags & ~maximum_flag);
    const bool maximum = (flags & maximum_flag) != 0;
    const DomainSummary summary =
        impact.live ? summary_of(*domain.guest->live) : *stored_summary(driver, domain);
    return maximum ? summary.vcpus : summary.current_vcpus;
}

} // namespace vireo::qemu::actions
