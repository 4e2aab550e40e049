// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/domain_stats.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/list_domains.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;

constexpr auto answer_limit = 500ms;

// virConnectGetAllDomainStatsFlags
constexpr std::uint32_t selecting_flags = 0xff;
constexpr std::uint32_t no_wait_flag = 0x2000'0000; // what is always so here
constexpr std::uint32_t backing_flag = 0x4000'0000;
constexpr std::uint32_t enforce_flag = 0x8000'0000;

struct Wanted {
    std::uint32_t groups;
    bool backing;

    bool group(std::uint32_t bit) const noexcept { return (groups & bit) != 0; }

    bool definition() const noexcept {
        using namespace stats_group;
        return group(balloon | vcpu | interface | block);
    }
};

Wanted wanted_of(std::uint32_t stats, std::uint32_t flags, std::uint32_t selecting) {
    const std::uint32_t unknown = flags & ~(selecting | no_wait_flag | backing_flag | enforce_flag);
    if (unknown != 0) {
        throw Error(ErrorCode::invalid_arg, "unsupported flags ({:#x}) of statistics", unknown);
    }
    const std::uint32_t unserved = stats & ~stats_group::all;
    if (unserved != 0 && (flags & enforce_flag) != 0) {
        throw Error(ErrorCode::argument_unsupported,
                    "Stats types bits {:#x} are not supported by this daemon",
                    unserved);
    }
    return Wanted{stats == 0 ? stats_group::all : stats & stats_group::all,
                  (flags & backing_flag) != 0};
}

/// The answers that come in time stay in `answers`, whatever becomes of the rest. A guest that ends
/// meanwhile has no monitor any more.
Task<void> ask(std::shared_ptr<Guest> guest, Wanted wanted, std::shared_ptr<GuestAnswers> answers) {
    if (guest->starting) { // its monitor is not ready for others yet
        co_return;
    }
    if (wanted.group(stats_group::vcpu) && guest->monitor) {
        answers->cpus = co_await guest->monitor->execute("query-cpus-fast");
    }
    if (wanted.group(stats_group::block) && guest->monitor) {
        answers->blockstats = co_await guest->monitor->execute("query-blockstats");
    }
    if (wanted.group(stats_group::block) && guest->monitor) {
        nlohmann::json arguments;
        arguments["flat"] = true; // without the chains below each node, which are nodes themselves
        answers->nodes =
            co_await guest->monitor->execute("query-named-block-nodes", std::move(arguments));
    }
}

void add_groups(StatsRecord& record,
                const DomainDef& def,
                const RunningGuest* running,
                const Wanted& wanted) {
    using namespace stats_group;
    if (wanted.group(balloon)) {
        add_balloon(record, def);
    }
    if (wanted.group(vcpu)) {
        add_vcpus(record, def, running);
    }
    if (wanted.group(interface)) {
        add_interfaces(record, def, running);
    }
    if (wanted.group(block)) {
        add_blocks(record, def, running, wanted.backing);
    }
}

/// `def` may be null where no group wants a definition.
StatsRecord record_of(StateReason state,
                      const DomainDef* def,
                      const RunningGuest* running,
                      const Wanted& wanted) {
    StatsRecord record;
    if (wanted.group(stats_group::state)) {
        add_state(record, state);
    }
    if (wanted.group(stats_group::cpu_total)) {
        add_cpu_total(record, running);
    }
    if (def != nullptr) {
        add_groups(record, *def, running, wanted);
    }
    return record;
}

StatsRecord stopped_record(const Driver& driver, const Domain& domain, const Wanted& wanted) {
    if (!wanted.definition()) {
        return record_of(domain.state, nullptr, nullptr, wanted);
    }
    const DomainDef def = stored_definition(driver, domain);
    return record_of(domain.state, &def, nullptr, wanted);
}

Task<StatsRecord> collect(Driver& driver, DomainPtr domain, Wanted wanted) {
    const std::shared_ptr<Guest> guest = domain->guest;
    if (!guest) {
        co_return stopped_record(driver, *domain, wanted);
    }
    auto answers = std::make_shared<GuestAnswers>();
    auto asking = ask(guest, wanted, answers);
    try {
        co_await Deadline(driver.ctx.loop, std::move(asking), answer_limit, "QEMU's statistics");
    } catch (const Error& e) {
        log::debug("domain '{}': its statistics are incomplete: {}", domain->name, e.what());
    }
    RunningGuest running;
    running.answers = std::move(*answers);
    if (guest->process) {
        running.pid = guest->process->pid();
    }
    co_return record_of(domain->state, guest->live.get(), &running, wanted);
}

/// The records that are still being collected.
struct Collection {
    explicit Collection(Loop& loop) : complete(loop) {}

    std::vector<DomainStats> records;
    std::size_t open = 0;
    Promised<bool> complete;
};

/// What is wrong with one domain costs nobody else's statistics: its record stays empty.
void tell_of_failure(const Domain& domain, const std::exception& failure) {
    log::warning("no statistics of domain '{}': {}", domain.name, failure.what());
}

void collect_stopped(const Driver& driver, DomainStats& stats, const Wanted& wanted) {
    try {
        stats.record = stopped_record(driver, *stats.domain, wanted);
    } catch (const std::exception& e) {
        tell_of_failure(*stats.domain, e);
    }
}

Task<void> collect_running(Driver& driver,
                           std::shared_ptr<Collection> collection,
                           std::size_t place,
                           Wanted wanted) {
    const DomainPtr domain = collection->records[place].domain;
    try {
        StatsRecord record = co_await collect(driver, domain, wanted);
        collection->records[place].record = std::move(record);
    } catch (const std::exception& e) {
        tell_of_failure(*domain, e);
    }
    if (--collection->open == 0) {
        collection->complete.resolve(true);
    }
}

} // namespace

Task<StatsRecord>
domain_stats(Driver& driver, DomainPtr domain, std::uint32_t stats, std::uint32_t flags) {
    const Wanted wanted = wanted_of(stats, flags, 0);
    co_return co_await collect(driver, std::move(domain), wanted);
}

Task<std::vector<DomainStats>>
all_domain_stats(Driver& driver, std::uint32_t stats, std::uint32_t flags) {
    const Wanted wanted = wanted_of(stats, flags, selecting_flags);
    auto collection = std::make_shared<Collection>(driver.ctx.loop);
    for (DomainPtr& domain : list_domains(driver.registry, flags & selecting_flags)) {
        collection->records.push_back({std::move(domain), {}});
    }
    Scope asking(driver.ctx.loop);
    ++collection->open; // this coroutine, until all are on their way
    for (std::size_t place = 0; place < collection->records.size(); ++place) {
        DomainStats& stats = collection->records[place];
        if (stats.domain->active()) {
            ++collection->open;
            asking.spawn(collect_running(driver, collection, place, wanted), "statistics");
        } else {
            collect_stopped(driver, stats, wanted);
        }
    }
    if (--collection->open == 0) {
        collection->complete.resolve(true);
    }
    co_await collection->complete.value();
    co_return std::move(collection->records);
}

} // namespace vireo::qemu::actions
