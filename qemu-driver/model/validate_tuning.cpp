// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <set>

namespace vireo::qemu {

namespace {

// What Linux accepts. Source: kernel/sched, Documentation/scheduler/sched-bwc.rst.
constexpr uint64_t least_shares = 2, most_shares = 262144;
constexpr uint64_t shortest_period_us = 1000, longest_period_us = 1000000;
constexpr int64_t least_quota_us = 1000, most_quota_us = 17592186044415;

void check_times(const CputuneDef& t) {
    const auto period = [&](std::string_view name, const std::optional<uint64_t>& us) {
        if (us.value_or(0) != 0 && (*us < shortest_period_us || *us > longest_period_us)) {
            refuse(t.where,
                   name,
                   "{} is not from {} to {} µs",
                   *us,
                   shortest_period_us,
                   longest_period_us);
        }
    };
    const auto quota = [&](std::string_view name, const std::optional<int64_t>& us) {
        if (us.value_or(0) > 0 && (*us < least_quota_us || *us > most_quota_us)) {
            refuse(t.where, name, "{} is not from {} to {} µs", *us, least_quota_us, most_quota_us);
        }
    };
    if (t.shares.value_or(0) != 0 && (*t.shares < least_shares || *t.shares > most_shares)) {
        refuse(t.where, "shares", "{} is not from {} to {}", *t.shares, least_shares, most_shares);
    }
    period("period", t.period_us);
    period("global_period", t.global_period_us);
    period("emulator_period", t.emulator_period_us);
    period("iothread_period", t.iothread_period_us);
    quota("quota", t.quota_us);
    quota("global_quota", t.global_quota_us);
    quota("emulator_quota", t.emulator_quota_us);
    quota("iothread_quota", t.iothread_quota_us);
}

bool has_iothread(const DomainDef& def, uint32_t id) {
    return std::ranges::any_of(def.iothreads, [&](const IothreadDef& t) { return t.id == id; });
}

void check_scheduler(const EmulatorScheduler& s, xml::Where where, std::string_view element) {
    const bool realtime =
        s.scheduler == SchedulerPolicy::fifo || s.scheduler == SchedulerPolicy::rr;
    if (realtime && !s.priority) {
        refuse(where, element, "scheduler='{}' needs priority=", name_of(s.scheduler));
    }
}

void check_pins(const DomainDef& def, const CputuneDef& t) {
    std::set<uint32_t> vcpus, threads;
    for (const VcpuPin& pin : t.vcpu_pins) {
        if (!vcpus.insert(pin.vcpu).second) {
            refuse(t.where, "vcpupin", "vcpu='{}' is there twice", pin.vcpu);
        }
    }
    for (const IothreadPin& pin : t.iothread_pins) {
        if (!threads.insert(pin.iothread).second || !has_iothread(def, pin.iothread)) {
            refuse(t.where,
                   "iothreadpin",
                   "iothread='{}' is there twice, or there is no such thread",
                   pin.iothread);
        }
    }
    if (t.emulator_scheduler) {
        check_scheduler(*t.emulator_scheduler, t.where, "emulatorsched");
    }
    for (const VcpuScheduler& s : t.vcpu_schedulers) {
        check_scheduler(s, t.where, "vcpusched");
        if (std::stoul(s.ids) >= def.vcpus.maximum) {
            refuse(t.where, "vcpusched", "vcpus='{}': <vcpu> has {}", s.ids, def.vcpus.maximum);
        }
    }
    for (const IothreadScheduler& s : t.iothread_schedulers) {
        check_scheduler(s, t.where, "iothreadsched");
        if (!has_iothread(def, static_cast<uint32_t>(std::stoul(s.ids)))) {
            refuse(t.where, "iothreadsched", "iothreads='{}': there is no such thread", s.ids);
        }
    }
}

/// Groups of vCPUs that share caches or bandwidth are the same or have none in common.
class Groups {
  public:
    explicit Groups(const CputuneDef& t) : tune_(t) {}

    void add(const std::string& vcpus, std::string_view element, bool twice_is_fine) {
        const std::set<uint32_t> ids = ids_of(vcpus, tune_.where, element);
        for (const auto& [seen, by] : groups_) {
            const bool common = std::ranges::any_of(
                ids, [&others = seen](uint32_t id) { return others.contains(id); });
            if (common && (seen != ids || (by == element && !twice_is_fine))) {
                refuse(tune_.where,
                       element,
                       "vcpus='{}' has vCPUs of another <{}>; groups are the same or have none in "
                       "common",
                       vcpus,
                       by);
            }
        }
        groups_.emplace_back(ids, element);
    }

  private:
    const CputuneDef& tune_;
    std::vector<std::pair<std::set<uint32_t>, std::string_view>> groups_;
};

void check_monitor(const CputuneDef& t,
                   const std::string& monitor,
                   const std::string& group,
                   std::string_view element) {
    const std::set<uint32_t> all = ids_of(group, t.where, element);
    const std::set<uint32_t> some = ids_of(monitor, t.where, "monitor");
    if (!std::ranges::includes(all, some)) {
        refuse(t.where,
               "monitor",
               "vcpus='{}' are not all of <{} vcpus='{}'>",
               monitor,
               element,
               group);
    }
}

void check_resctrl(const CputuneDef& t) {
    Groups groups(t);
    for (const CacheTune& tune : t.cache_tunes) {
        groups.add(tune.vcpus, "cachetune", false);
        std::set<std::tuple<uint32_t, uint32_t, CacheType>> seen;
        for (const CacheTuneCache& c : tune.caches) {
            if (!seen.insert({c.level, c.id, c.type}).second ||
                (c.type != CacheType::both && seen.contains({c.level, c.id, CacheType::both}))) {
                refuse(t.where,
                       "cache",
                       "level='{}', id='{}', type='{}' is there twice",
                       c.level,
                       c.id,
                       name_of(c.type));
            }
        }
        for (const CacheTuneMonitor& m : tune.monitors) {
            check_monitor(t, m.vcpus, tune.vcpus, "cachetune");
        }
    }
    constexpr uint32_t whole = 100; // percent
    for (const MemoryTune& tune : t.memory_tunes) {
        groups.add(tune.vcpus, "memorytune", false);
        std::set<uint32_t> seen;
        for (const MemoryTuneNode& node : tune.nodes) {
            if (!seen.insert(node.id).second) {
                refuse(t.where,
                       "node",
                       "id='{}' is there twice in <memorytune vcpus='{}'>",
                       node.id,
                       tune.vcpus);
            }
            if (node.bandwidth == 0 || node.bandwidth > whole) {
                refuse(
                    t.where, "node", "bandwidth='{}' is not from 1 to 100 percent", node.bandwidth);
            }
        }
        for (const MemoryTuneMonitor& m : tune.monitors) {
            check_monitor(t, m.vcpus, tune.vcpus, "memorytune");
        }
    }
}

void check_pool(const DomainDef& def, const ThreadPool& pool, std::string_view element) {
    if (pool.max == 0U) {
        refuse(def.where, element, "thread_pool_max='0': there is at least one");
    }
    if (pool.min && pool.max && *pool.min > *pool.max) {
        refuse(def.where,
               element,
               "thread_pool_min='{}' is more than thread_pool_max='{}'",
               *pool.min,
               *pool.max);
    }
}

void check_iothreads(const DomainDef& def) {
    std::set<uint32_t> seen;
    for (const IothreadDef& thread : def.iothreads) {
        if (thread.id == 0 || !seen.insert(thread.id).second) {
            refuse(def.where,
                   "iothread",
                   "id='{}' is used twice, or not a number from 1 on",
                   thread.id);
        }
        check_pool(def, thread.pool, "iothread");
    }
    if (def.default_iothread) {
        check_pool(def, *def.default_iothread, "defaultiothread");
    }
}

void check_blkio(const BlkiotuneDef& t) {
    constexpr uint32_t least = 10, most = 1000; // io.bfq.weight, blkio.weight
    const auto weight = [&](const std::optional<uint32_t>& value) {
        if (value.value_or(0) != 0 && (*value < least || *value > most)) {
            refuse(t.where, "weight", "{} is not from {} to {}", *value, least, most);
        }
    };
    weight(t.weight);
    std::set<std::string> paths;
    for (const BlkioDevice& device : t.devices) {
        weight(device.weight);
        if (!paths.insert(device.path).second) {
            refuse(t.where, "device", "path '{}' is there twice", device.path);
        }
    }
}

void check_resource(const DomainDef& def) {
    if (def.resource && def.resource->fibrechannel_appid) {
        const std::string& id = *def.resource->fibrechannel_appid;
        constexpr std::size_t longest = 128;
        const bool printable = std::ranges::all_of(id, [](char c) { return c >= ' ' && c <= '~'; });
        if (id.empty() || id.size() > longest || !printable) {
            refuse(def.where,
                   "fibrechannel",
                   "appid='{}' is not 1 to {} printable characters",
                   id,
                   longest);
        }
    }
    if (def.idmap) {
        const auto& [uids, gids] = *def.idmap;
        if (uids.empty() != gids.empty()) {
            refuse(def.where, "idmap", "it maps both users and groups, or neither");
        }
        if (!uids.empty() && (uids.front().start != 0 || gids.front().start != 0)) {
            refuse(def.where, "idmap", "root, start='0', is not mapped");
        }
    }
    std::set<PerfEventName> seen;
    for (const PerfEvent& event : def.perf) {
        if (!seen.insert(event.name).second) {
            refuse(event.where, "event", "name='{}' is there twice", name_of(event.name));
        }
    }
}

} // namespace

void validate_tuning(const DomainDef& def) {
    if (def.cputune) {
        check_times(*def.cputune);
        check_pins(def, *def.cputune);
        check_resctrl(*def.cputune);
    }
    check_iothreads(def);
    if (def.blkiotune) {
        check_blkio(*def.blkiotune);
    }
    check_resource(def);
}

} // namespace vireo::qemu
