// SPDX-License-Identifier: LGPL-2.1-or-later
// Speed and memory, seen by a client on the bus, beside libvirtd behind libvirt-dbus (where these
// are installed) and beside QEMU alone. The bounds are those that the project promises.
#include "libshared/error.hpp"
#include "tests/benchmark/qemu_alone.hpp"
#include "tests/benchmark/report.hpp"
#include "tests/benchmark/subject.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <future>

namespace {

using namespace vireo;
using namespace vireo::benchmark;
using namespace std::chrono_literals;
using test::libvirt_connect;
using test::libvirt_object;

constexpr std::uint32_t start_paused = 1;

/// The same measurement on both; `theirs` is null where libvirt is not there.
struct Pair {
    std::unique_ptr<Subject> ours = Subject::vireo();
    std::unique_ptr<Subject> theirs = Subject::libvirt();

    /// So often on one after the other, and the medians: a guest or a connection can be faster or
    /// slower than another for its whole life.
    Figure measure(const std::string& what,
                   const std::string& unit,
                   const std::function<double(Subject&)>& work,
                   int rounds = 1) const {
        std::vector<double> of_ours;
        std::vector<double> of_theirs;
        for (int i = 0; i < rounds; ++i) {
            of_ours.push_back(work(*ours));
            if (theirs == nullptr) {
                continue;
            }
            try {
                of_theirs.push_back(work(*theirs));
            } catch (const std::exception& e) { // no reason not to measure the rest
                fmt::print("libvirt fails at '{}': {}\n", what, e.what());
            }
        }
        Figure figure{.what = what, .unit = unit, .ours = median(of_ours)};
        if (!of_theirs.empty()) {
            figure.theirs = median(of_theirs);
        }
        return figure;
    }
};

/// Runs the work for each number below `count`, all at once, and throws where one of them threw.
void at_once(int count, const std::function<void(int)>& work) {
    std::vector<std::future<void>> running;
    for (int i = 0; i < count; ++i) {
        running.push_back(std::async(std::launch::async, work, i));
    }
    for (std::future<void>& one : running) {
        one.wait();
    }
    for (std::future<void>& one : running) {
        one.get();
    }
}

double cold_start(Subject& subject) {
    std::vector<double> times;
    for (int i = 0; i < 9; ++i) {
        subject.end_daemons();
        times.push_back(milliseconds([&] { subject.list(); }));
    }
    return median(times);
}

test::Target domain(const bus::ObjectPath& path) {
    return libvirt_object(path, "org.libvirt.Domain");
}

using State = std::tuple<std::int32_t, std::int32_t>;

double get_state_microseconds(Subject& subject) {
    const auto target = domain(subject.define("state"));
    const double result = 1000 * median_milliseconds(2000, [&] {
                              subject.client().call<State>(target, "GetState", std::uint32_t{0});
                          });
    subject.client().call(target, "Undefine", std::uint32_t{0});
    return result;
}

double get_state_per_second(Subject& subject) {
    constexpr int clients = 8;
    constexpr int calls = 2500;
    const auto target = domain(subject.define("state"));
    std::vector<test::Client> connections;
    for (int i = 0; i < clients; ++i) {
        connections.push_back(subject.connect());
        connections.back().call<State>(target, "GetState", std::uint32_t{0});
    }
    const double took = milliseconds([&] {
        at_once(clients, [&](int client) {
            for (int i = 0; i < calls; ++i) {
                connections[client].call<State>(target, "GetState", std::uint32_t{0});
            }
        });
    });
    subject.client().call(target, "Undefine", std::uint32_t{0});
    return clients * calls / took * 1000;
}

/// Defines domains until there are `count`, and gives how many a second.
double define_per_second(Subject& subject, int count) {
    const int first = static_cast<int>(subject.list().size());
    const double took = milliseconds([&] {
        for (int i = first; i < count; ++i) {
            subject.define(fmt::format("domain{}", i));
        }
    });
    return (count - first) / took * 1000;
}

double restart(Subject& subject) {
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
        subject.end_daemons();
        times.push_back(milliseconds([&] { subject.list(); }));
    }
    return median(times);
}

double all_stats(Subject& subject) {
    return median_milliseconds(9, [&] {
        const auto call = subject.client().new_call(libvirt_connect, "GetAllDomainStats");
        bus::append(call.get(), std::uint32_t{0});
        bus::append(call.get(), std::uint32_t{0});
        subject.client().send(call);
    });
}

/// How long starting a paused guest takes, and how long ending it; medians.
struct GuestTimes {
    double start;
    double end;
};

GuestTimes guest_times(Subject& subject) {
    const auto target = domain(subject.define("guest"));
    std::vector<double> starts;
    std::vector<double> ends;
    for (int i = 0; i < 7; ++i) {
        starts.push_back(
            milliseconds([&] { subject.client().call(target, "Create", start_paused); }));
        ends.push_back(
            milliseconds([&] { subject.client().call(target, "Destroy", std::uint32_t{0}); }));
    }
    subject.client().call(target, "Undefine", std::uint32_t{0});
    return {median(starts), median(ends)};
}

/// The words of the QEMU that the subject runs for one paused guest.
std::vector<std::string> qemu_words(Subject& subject) {
    const auto target = domain(subject.define("guest"));
    subject.client().call(target, "Create", start_paused);
    std::vector<std::string> words;
    for (const test::Process& process : subject.processes()) {
        if (process.program.starts_with("qemu-system")) {
            words = words_of(process.pid);
        }
    }
    subject.client().call(target, "Destroy", std::uint32_t{0});
    subject.client().call(target, "Undefine", std::uint32_t{0});
    return words;
}

GuestTimes qemu_alone_times(const std::vector<std::string>& words) {
    std::vector<double> starts;
    std::vector<double> ends;
    for (int i = 0; i < 7; ++i) {
        std::unique_ptr<QemuAlone> qemu;
        starts.push_back(milliseconds([&] { qemu = std::make_unique<QemuAlone>(words); }));
        ends.push_back(milliseconds([&] { qemu->quit(); }));
    }
    return {median(starts), median(ends)};
}

constexpr int crowd = 20;

double qemu_alone_crowd(const std::vector<std::string>& words) {
    std::vector<std::unique_ptr<QemuAlone>> guests(crowd);
    return milliseconds(
        [&] { at_once(crowd, [&](int i) { guests[i] = std::make_unique<QemuAlone>(words); }); });
}

double start_crowd(Subject& subject) {
    std::vector<test::Target> targets;
    std::vector<test::Client> clients;
    for (int i = 0; i < crowd; ++i) {
        targets.push_back(domain(subject.define(fmt::format("crowd{}", i))));
        clients.push_back(subject.connect());
    }
    const double took = milliseconds([&] {
        at_once(crowd, [&](int i) { clients[i].call(targets[i], "Create", start_paused); });
    });
    for (const test::Target& target : targets) {
        subject.client().call(target, "Destroy", std::uint32_t{0});
        subject.client().call(target, "Undefine", std::uint32_t{0});
    }
    return took;
}

constexpr std::uint32_t live = 1;

/// A virtio-mem device of 512 MiB of which so much is requested. It says where it is: libvirt finds
/// a device by that alone.
std::string elastic_memory(std::uint64_t requested_mib) {
    return fmt::format(
        "<memory model='virtio-mem'><target><size unit='MiB'>512</size><node>0</node><block "
        "unit='MiB'>2</block><requested unit='MiB'>{}</requested></target>"
        "<alias name='ua-elastic'/><address type='pci' domain='0x0000' bus='0x00' slot='0x10' "
        "function='0x0'/></memory>",
        requested_mib);
}

/// Changes how much memory a guest is asked to have, to and fro; the median of 200 calls.
double requested_milliseconds(Subject& subject) {
    constexpr int changes = 200;
    std::string xml = domain_xml("elastic");
    const auto insert = [&xml](const char* before, const std::string& part) {
        xml.insert(xml.find(before), part);
    };
    insert("<memory unit", "<maxMemory slots='4' unit='GiB'>2</maxMemory>");
    insert("<devices>", "<cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>");
    insert("<memballoon", elastic_memory(0));
    const auto path =
        subject.client().call<bus::ObjectPath>(libvirt_connect, "DomainDefineXML", xml);
    const auto target = domain(path);
    subject.client().call(target, "Create", start_paused);
    std::vector<double> times;
    for (int i = 0; i < changes; ++i) {
        const std::string wish = elastic_memory(i % 2 == 0 ? 256 : 128);
        times.push_back(
            milliseconds([&] { subject.client().call(target, "UpdateDevice", wish, live); }));
    }
    subject.client().call(target, "Destroy", std::uint32_t{0});
    subject.client().call(target, "Undefine", std::uint32_t{0});
    return median(times);
}

/// Calls one member of each daemon, so that all of them run.
void wake_all(Subject& subject) {
    subject.list();
    auto& client = subject.client();
    client.call<std::vector<bus::ObjectPath>>(libvirt_connect, "ListNodeDevices", std::uint32_t{0});
    client.call<std::vector<bus::ObjectPath>>(
        libvirt_connect, "ListStoragePools", std::uint32_t{0});
}

/// The memory of daemons that have started with what is defined and have done nothing since.
Memory idle_memory(Subject& subject) {
    subject.end_daemons();
    wake_all(subject);
    return subject.memory();
}

void measure_calls(const Pair& pair) {
    Figure cold = pair.measure("no daemon runs: ListDomains' reply", "ms", cold_start);
    cold.most = 20;
    cold.ratio = 1.0 / 8;
    record(cold);

    Figure idle = pair.measure(
        "all daemons idle: PSS", "MiB", [](Subject& subject) { return idle_memory(subject).pss; });
    idle.most = 10;
    record(idle);

    Figure state = pair.measure("GetState", "us", get_state_microseconds);
    state.ratio = 0.5;
    record(state);

    Figure rate = pair.measure("GetState by 8 clients", "1/s", get_state_per_second);
    rate.least = 12'000;
    record(rate);
}

void measure_guests(const Pair& pair) {
    const auto words = qemu_words(*pair.ours);
    const GuestTimes alone = qemu_alone_times(words);
    const GuestTimes ours = guest_times(*pair.ours);
    record({.what = "start of a paused QEMU alone", .unit = "ms", .ours = alone.start});
    Figure start{.what = "start of a paused guest", .unit = "ms", .ours = ours.start};
    start.most = alone.start + 10;
    Figure end{.what = "destroy", .unit = "ms", .ours = ours.end};
    end.most = alone.end + 10;
    if (pair.theirs != nullptr) {
        const GuestTimes theirs = guest_times(*pair.theirs);
        start.theirs = theirs.start;
        end.theirs = theirs.end;
    }
    record(start);
    const double crowd_alone = qemu_alone_crowd(words);
    record({.what = "20 paused QEMUs at once alone", .unit = "ms", .ours = crowd_alone});
    Figure many = pair.measure("start of 20 paused guests at once", "ms", start_crowd);
    many.most = 1.5 * crowd_alone;
    record(many);
    record({.what = "end of a paused QEMU alone", .unit = "ms", .ours = alone.end});
    record(end);
}

void measure_memory(const Pair& pair) {
    Figure change =
        pair.measure("UpdateDevice of a virtio-mem device", "ms", requested_milliseconds, 7);
    change.most = 5;
    change.ratio = 0.5;
    record(change);
}

void measure_many(const Pair& pair) {
    constexpr int thousand = 1000;
    const double before = idle_memory(*pair.ours).anonymous;
    Figure define = pair.measure(
        "define", "1/s", [](Subject& subject) { return define_per_second(subject, thousand); });
    define.least = 600;
    record(define);

    Figure list = pair.measure("ListDomains of 1,000", "ms", [](Subject& subject) {
        return median_milliseconds(101, [&] {
            const auto call = subject.client().new_call(libvirt_connect, "ListDomains");
            bus::append(call.get(), std::uint32_t{0});
            subject.client().send(call);
        });
    });
    list.most = 1;
    record(list);

    Figure stats = pair.measure("GetAllDomainStats of 1,000", "ms", all_stats);
    stats.most = 10;
    record(stats);

    Figure again = pair.measure("restart with 1,000 definitions: ListDomains", "ms", restart);
    again.most = 30;
    record(again);

    record({.what = "each stopped domain: memory",
            .unit = "KiB",
            .ours = (idle_memory(*pair.ours).anonymous - before) * 1024 / thousand,
            .most = 2});

    define_per_second(*pair.ours, 10 * thousand);
    record({.what = "restart with 10,000 definitions: ListDomains",
            .unit = "ms",
            .ours = restart(*pair.ours),
            .most = 150});
}

} // namespace

// A bound is checked once the daemons have ended: a missed one is no reason to print their logs.

TEST_CASE("first call, idle memory, GetState") {
    measure_calls(Pair());
    CHECK(take_missed().empty());
}

TEST_CASE("starting and ending guests") {
    measure_guests(Pair());
    CHECK(take_missed().empty());
}

TEST_CASE("memory of a running guest") {
    measure_memory(Pair());
    CHECK(take_missed().empty());
}

TEST_CASE("many definitions") {
    measure_many(Pair());
    CHECK(take_missed().empty());
}
