// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/domain_stats.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/list_domains.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto stats_limit = 500ms;

// virConnectGetAllDomainStatsFlags
constexpr std::uint32_t selecting_flags = 0xff;
constexpr std::uint32_t no_wait_flag = 0x2000'0000; // what is always so here
constexpr std::uint32_t backing_flag = 0x4000'0000;
constexpr std::uint32_t enforce_flag = 0x8000'0000;

struct Wanted {
    std::uint32_t groups;
    bool backing;

    bool group(std::uint32_t bit) const noexcept { return (groups & bit) != 0; }

    bool summary() const noexcept {
        using namespace stats_group;
        return group(balloon | vcpu | block);
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

/// Asks one question. Its answer stays null where QEMU does not know the command or the device
/// is not there, which costs no other answer; a guest that ends meanwhile has no monitor any more.
Task<void> ask_one(std::shared_ptr<Guest> guest,
                   std::string command,
                   json arguments,
                   std::shared_ptr<json> answer) {
    if (!guest->monitor) {
        co_return;
    }
    try {
        *answer = co_await guest->monitor->execute(std::move(command), std::move(arguments));
    } catch (const qmp::CommandError& e) {
        log::debug("statistics: {}", e.what());
    }
}

struct Question {
    std::uint32_t groups;
    const char* command;
    json arguments;
    json GuestAnswers::*answer;
};

std::vector<Question> questions(const Guest& guest) {
    using namespace stats_group;
    json flat;
    flat["flat"] = true; // without the chains below each node, which are nodes themselves
    std::vector<Question> all;
    if (has_balloon(*guest.live)) {
        json property;
        property["path"] = "/machine/peripheral/" +
                           guest.live->devices.memballoon->info.alias.value_or("balloon0");
        property["property"] = "guest-stats";
        all.push_back({balloon, "qom-get", std::move(property), &GuestAnswers::balloon});
    }
    all.push_back({vcpu, "query-cpus-fast", nullptr, &GuestAnswers::cpus});
    all.push_back({block, "query-blockstats", nullptr, &GuestAnswers::blockstats});
    all.push_back({block, "query-named-block-nodes", std::move(flat), &GuestAnswers::nodes});
    all.push_back({iothread, "query-iothreads", nullptr, &GuestAnswers::iothreads});
    all.push_back({dirty_rate, "query-dirty-rate", nullptr, &GuestAnswers::dirty_rate});
    return all;
}

/// The answers that come in time stay in `answers`, whatever becomes of the rest.
Task<void> ask(std::shared_ptr<Guest> guest, Wanted wanted, std::shared_ptr<GuestAnswers> answers) {
    if (guest->starting) { // its monitor is not ready for others yet
        co_return;
    }
    std::vector<Question> all = questions(*guest);
    for (Question& question : all) {
        if (!wanted.group(question.groups)) {
            continue;
        }
        std::shared_ptr<json> answer(answers, &((*answers).*question.answer));
        co_await ask_one(guest, question.command, std::move(question.arguments), answer);
    }
}

StatsRecord
running_record(const Domain& domain, const RunningGuest& running, const Wanted& wanted) {
    using namespace stats_group;
    const DomainDef& live = *domain.guest->live;
    const DomainSummary summary = summary_of(live);
    StatsRecord record;
    if (wanted.group(state)) {
        add_state(record, domain.state);
    }
    if (wanted.group(cpu_total)) {
        add_cpu_total(record, running);
    }
    if (wanted.group(balloon)) {
        add_balloon(record, summary, &running);
    }
    if (wanted.group(vcpu)) {
        add_vcpus(record, summary, &running);
    }
    if (wanted.group(interface)) {
        add_interfaces(record, live, running);
    }
    if (wanted.group(block)) {
        add_blocks(record, live, running, wanted.backing);
    }
    if (wanted.group(iothread)) {
        add_iothreads(record, running);
    }
    if (wanted.group(dirty_rate)) {
        add_dirty_rate(record, running);
    }
    return record;
}

StatsRecord stopped_record(Driver& driver, Domain& domain, const Wanted& wanted) {
    using namespace stats_group;
    StatsRecord record;
    if (wanted.group(state)) {
        add_state(record, domain.state);
    }
    if (!wanted.summary()) {
        return record;
    }
    const std::shared_ptr<const DomainSummary> summary = stored_summary(driver, domain);
    if (wanted.group(balloon)) {
        add_balloon(record, *summary, nullptr);
    }
    if (wanted.group(vcpu)) {
        add_vcpus(record, *summary, nullptr);
    }
    if (wanted.group(block)) {
        add_stopped_blocks(record, *summary, wanted.backing);
    }
    return record;
}

Task<StatsRecord> collect(Driver& driver, DomainPtr domain, Wanted wanted) {
    const std::shared_ptr<Guest> guest = domain->guest;
    if (!guest) {
        co_return stopped_record(driver, *domain, wanted);
    }
    auto answers = std::make_shared<GuestAnswers>();
    auto asking = ask(guest, wanted, answers);
    try {
        co_await Deadline(driver.ctx.loop, std::move(asking), stats_limit, "QEMU's statistics");
    } catch (const Error& e) {
        log::debug("domain '{}': its statistics are incomplete: {}", domain->name, e.what());
    }
    if (domain->guest != guest) { // it has ended meanwhile
        co_return stopped_record(driver, *domain, wanted);
    }
    RunningGuest running;
    running.answers = std::move(*answers);
    if (guest->process) {
        running.pid = guest->process->pid();
    }
    co_return running_record(*domain, running, wanted);
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

void collect_stopped(Driver& driver, DomainStats& stats, const Wanted& wanted) {
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
    for (DomainPtr& domain : list_domains(driver, flags & selecting_flags)) {
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
