// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/refusals.hpp"
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
    Refusals refusals;
    const auto period = [&](std::string_view name, const std::optional<uint64_t>& us) {
        if (us.value_or(0) != 0 && (*us < shortest_period_us || *us > longest_period_us)) {
            refusals.attempt([&] {
                refuse(t.where,
                       name,
                       "{} is not from {} to {} µs",
                       *us,
                       shortest_period_us,
                       longest_period_us);
            });
        }
    };
    const auto quota = [&](std::string_view name, const std::optional<int64_t>& us) {
        if (us.value_or(0) > 0 && (*us < least_quota_us || *us > most_quota_us)) {
            refusals.attempt([&] {
                refuse(t.where,
                       name,
                       "{} is not from {} to {} µs",
                       *us,
                       least_quota_us,
                       most_quota_us);
            });
        }
    };
    period("period", t.period_us);
    period("global_period", t.global_period_us);
    period("emulator_period", t.emulator_period_us);
    period("iothread_period", t.iothread_period_us);
    quota("quota", t.quota_us);
    quota("global_quota", t.global_quota_us);
    quota("emulator_quota", t.emulator_quota_us);
    quota("iothread_quota", t.iothread_quota_us);
    refusals.raise();
}

void check_shares(const CputuneDef& t) {
    if (t.shares.value_or(0) != 0 && (*t.shares < least_shares || *t.shares > most_shares)) {
        refuse(t.where, "shares", "{} is not from {} to {}", *t.shares, least_shares, most_shares);
    }
}

bool has_iothread(const DomainDef& def, uint32_t id) {
    return std::ranges::any_of(def.iothreads, [&](const IothreadDef& t) { return t.id == id; });
}

void check_scheduler(const EmulatorScheduler& s, std::string_view element) {
    const bool realtime =
        s.scheduler == SchedulerPolicy::fifo || s.scheduler == SchedulerPolicy::rr;
    if (realtime && !s.priority) {
        refuse(s.where, element, "scheduler='{}' needs priority=", name_of(s.scheduler));
    }
}

void check_pins(const DomainDef& def, const CputuneDef& t) {
    std::set<uint32_t> vcpus, threads;
    const auto vcpu = [&](const VcpuPin& pin) {
        if (!vcpus.insert(pin.vcpu).second) {
            refuse(pin.where, "vcpupin", "vcpu='{}' is there twice", pin.vcpu);
        }
    };
    const auto iothread = [&](const IothreadPin& pin) {
        if (!threads.insert(pin.iothread).second || !has_iothread(def, pin.iothread)) {
            refuse(pin.where,
                   "iothreadpin",
                   "iothread='{}' is there twice, or there is no such thread",
                   pin.iothread);
        }
    };
    check_all([&] { check_each(t.vcpu_pins, vcpu); },
              [&] { check_each(t.iothread_pins, iothread); });
}

void check_schedulers(const DomainDef& def, const CputuneDef& t) {
    const auto emulator = [&] {
        if (t.emulator_scheduler) {
            check_scheduler(*t.emulator_scheduler, "emulatorsched");
        }
    };
    const auto vcpu = [&](const VcpuScheduler& s) {
        check_scheduler(s, "vcpusched");
        if (std::stoul(s.ids) >= def.vcpus.maximum) {
            refuse(s.where, "vcpusched", "vcpus='{}': <vcpu> has {}", s.ids, def.vcpus.maximum);
        }
    };
    const auto iothread = [&](const IothreadScheduler& s) {
        check_scheduler(s, "iothreadsched");
        if (!has_iothread(def, static_cast<uint32_t>(std::stoul(s.ids)))) {
            refuse(s.where, "iothreadsched", "iothreads='{}': there is no such thread", s.ids);
        }
    };
    check_all(
        emulator,
        [&] { check_each(t.vcpu_schedulers, vcpu); },
        [&] { check_each(t.iothread_schedulers, iothread); });
}

/// Groups of vCPUs that share caches or bandwidth are the same or have none in common.
class Groups {
  public:
    /// A cache tune or a memory tune.
    void add(const auto& tune, std::string_view element) {
        const std::set<uint32_t> ids = ids_of(tune.vcpus, tune.where, element);
        for (const auto& [seen, by] : groups_) {
            const bool common = std::ranges::any_of(
                ids, [&others = seen](uint32_t id) { return others.contains(id); });
            if (common && (seen != ids || by == element)) {
                refuse(tune.where,
                       element,
                       "vcpus='{}' has vCPUs of another <{}>; groups are the same or have none in "
                       "common",
                       tune.vcpus,
                       by);
            }
        }
        groups_.emplace_back(ids, element);
    }

  private:
    std::vector<std::pair<std::set<uint32_t>, std::string_view>> groups_;
};

/// A monitor watches some of the vCPUs of its group.
void check_monitors(const auto& tune, std::string_view element) {
    const std::set<uint32_t> all = ids_of(tune.vcpus, tune.where, element);
    check_each(tune.monitors, [&](const auto& monitor) {
        const std::set<uint32_t> some = ids_of(monitor.vcpus, monitor.where, "monitor");
        if (!std::ranges::includes(all, some)) {
            refuse(monitor.where,
                   "monitor",
                   "vcpus='{}' are not all of <{} vcpus='{}'>",
                   monitor.vcpus,
                   element,
                   tune.vcpus);
        }
    });
}

void check_caches(const CacheTune& tune) {
    std::set<std::tuple<uint32_t, uint32_t, CacheType>> seen;
    check_each(tune.caches, [&](const CacheTuneCache& c) {
        if (!seen.insert({c.level, c.id, c.type}).second ||
            (c.type != CacheType::both && seen.contains({c.level, c.id, CacheType::both}))) {
            refuse(c.where,
                   "cache",
                   "level='{}', id='{}', type='{}' is there twice",
                   c.level,
                   c.id,
                   name_of(c.type));
        }
    });
}

void check_nodes(const MemoryTune& tune) {
    constexpr uint32_t whole = 100; // percent
    std::set<uint32_t> seen;
    check_each(tune.nodes, [&](const MemoryTuneNode& node) {
        if (!seen.insert(node.id).second) {
            refuse(node.where,
                   "node",
                   "id='{}' is there twice in <memorytune vcpus='{}'>",
                   node.id,
                   tune.vcpus);
        }
        if (node.bandwidth == 0 || node.bandwidth > whole) {
            refuse(
                node.where, "node", "bandwidth='{}' is not from 1 to 100 percent", node.bandwidth);
        }
    });
}

void check_resctrl(const CputuneDef& t) {
    Groups groups;
    const auto cache = [&](const CacheTune& tune) {
        check_all([&] { groups.add(tune, "cachetune"); },
                  [&] { check_caches(tune); },
                  [&] { check_monitors(tune, "cachetune"); });
    };
    const auto memory = [&](const MemoryTune& tune) {
        check_all([&] { groups.add(tune, "memorytune"); },
                  [&] { check_nodes(tune); },
                  [&] { check_monitors(tune, "memorytune"); });
    };
    check_all([&] { check_each(t.cache_tunes, cache); },
              [&] { check_each(t.memory_tunes, memory); });
}

void check_pool(const ThreadPool& pool, xml::Where where, std::string_view element) {
    if (pool.max == 0U) {
        refuse(where, element, "thread_pool_max='0': there is at least one");
    }
    if (pool.min && pool.max && *pool.min > *pool.max) {
        refuse(where,
               element,
               "thread_pool_min='{}' is more than thread_pool_max='{}'",
               *pool.min,
               *pool.max);
    }
}

void check_iothreads(const DomainDef& def) {
    std::set<uint32_t> seen;
    Refusals refusals;
    for (const IothreadDef& thread : def.iothreads) {
        refusals.attempt([&] {
            if (thread.id == 0 || !seen.insert(thread.id).second) {
                refuse(thread.where,
                       "iothread",
                       "id='{}' is used twice, or not a number from 1 on",
                       thread.id);
            }
            check_pool(thread.pool, thread.where, "iothread");
        });
    }
    if (def.default_iothread) {
        refusals.attempt([&] { check_pool(*def.default_iothread, def.where, "defaultiothread"); });
    }
    refusals.raise();
}

void check_weight(const std::optional<uint32_t>& value, xml::Where where) {
    constexpr uint32_t least = 10, most = 1000; // io.bfq.weight, blkio.weight
    if (value.value_or(0) != 0 && (*value < least || *value > most)) {
        refuse(where, "weight", "{} is not from {} to {}", *value, least, most);
    }
}

void check_blkio(const BlkiotuneDef& t) {
    std::set<std::string> paths;
    const auto device = [&](const BlkioDevice& d) {
        check_weight(d.weight, d.where);
        if (!paths.insert(d.path).second) {
            refuse(d.where, "device", "path '{}' is there twice", d.path);
        }
    };
    check_all([&] { check_weight(t.weight, t.where); }, [&] { check_each(t.devices, device); });
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
}

void check_idmap(const DomainDef& def) {
    if (def.idmap) {
        const auto& [uids, gids] = *def.idmap;
        if (uids.empty() != gids.empty()) {
            refuse(def.where, "idmap", "it maps both users and groups, or neither");
        }
        if (!uids.empty() && (uids.front().start != 0 || gids.front().start != 0)) {
            refuse(def.where, "idmap", "root, start='0', is not mapped");
        }
    }
}

void check_perf(const DomainDef& def) {
    std::set<PerfEventName> seen;
    check_each(def.perf, [&](const PerfEvent& event) {
        if (!seen.insert(event.name).second) {
            refuse(event.where, "event", "name='{}' is there twice", name_of(event.name));
        }
    });
}

} // namespace

void validate_tuning(const DomainDef& def) {
    Refusals refusals;
    if (def.cputune) {
        refusals.attempt([&] { check_shares(*def.cputune); });
        refusals.attempt([&] { check_times(*def.cputune); });
        refusals.attempt([&] { check_pins(def, *def.cputune); });
        refusals.attempt([&] { check_schedulers(def, *def.cputune); });
        refusals.attempt([&] { check_resctrl(*def.cputune); });
    }
    refusals.attempt([&] { check_iothreads(def); });
    if (def.blkiotune) {
        refusals.attempt([&] { check_blkio(*def.blkiotune); });
    }
    refusals.attempt([&] { check_resource(def); });
    refusals.attempt([&] { check_idmap(def); });
    refusals.attempt([&] { check_perf(def); });
    refusals.raise();
}

} // namespace vireo::qemu
