// SPDX-License-Identifier: LGPL-2.1-or-later
// How long a typical domain's document takes to be read, completed, written and turned into QEMU's
// command line.
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "tests/benchmark/report.hpp"
#include "tests/benchmark/subject.hpp"
#include "tests/benchmark/typical_domain.hpp"
#include "tests/support/installed_qemu.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace vireo;
using namespace vireo::benchmark;

namespace {

constexpr int rounds = 1000;

qemu::HostFacts facts() {
    qemu::HostFacts facts;
    facts.arch = "x86_64";
    facts.emulators["x86_64"] = "/usr/bin/qemu-system-x86_64";
    facts.qemu = test::installed_qemu();
    facts.nvram_dir = "/var/lib/vireo/qemu/nvram";
    facts.random_bytes = [](std::span<uint8_t> out) { std::ranges::fill(out, uint8_t{0}); };
    return facts;
}

qemu::DomainDef completed(const qemu::HostFacts& facts) {
    qemu::DomainDef def = qemu::parse_domain(typical_domain);
    qemu::PassOptions options;
    options.new_definition = true;
    qemu::complete_domain(def, facts, options);
    return def;
}

void record_us(const char* what, double most, const std::function<void()>& work) {
    record({.what = what,
            .unit = "us",
            .ours = 1000 * median_milliseconds(rounds, work),
            .most = most > 0 ? std::optional(most) : std::nullopt});
}

void measure_model() {
    const qemu::HostFacts host = facts();
    qemu::DomainDef def = completed(host);
    const std::string text = qemu::format_domain(def, {.active = false, .secure = true});
    def.id = 1;
    qemu::assign_aliases(def);
    qemu::assign_node_numbers(def);
    qemu::LaunchFacts launch;
    launch.private_dir = "/run/vireo/qemu/1";
    launch.channel_dir = launch.private_dir;
    MESSAGE("as written " << std::string(typical_domain).size() << " bytes, completed "
                          << text.size() << " bytes");
    record_us(
        "parse a typical domain, as written", 100, [] { qemu::parse_domain(typical_domain); });
    record_us("parse it, completed", 0, [&] { qemu::parse_domain(text); });
    record_us("complete it: defaults, checks, addresses", 0, [&] {
        qemu::DomainDef fresh = qemu::parse_domain(typical_domain);
        qemu::complete_domain(fresh, host, {.new_definition = true});
    });
    record_us("format it, completed", 60, [&] {
        qemu::format_domain(def, {.active = false, .secure = true});
    });
    record_us(
        "plan: its QEMU command line", 150, [&] { qemu::build_launch(def, *host.qemu, launch); });
}

/// Milliseconds for one document to become a command line, in a client's eyes.
double native_ms(Subject& subject) {
    const test::Target connect{"org.vireo", "/org/vireo", "org.vireo.Connect1"};
    const std::string xml = typical_domain;
    const auto ask = [&] {
        subject.client().call<std::vector<std::string>>(connect, "DomainXMLToArguments", xml);
    };
    ask();
    return median_milliseconds(100, ask);
}

/// The same of libvirt through virsh, whose start and connection are taken off: the time that 20
/// more documents take in one run of it.
std::optional<double> peer_native_ms(Subject& subject) {
    constexpr int more = 20;
    const auto socket = subject.root() / "run/libvirt/libvirt-sock";
    if (!std::filesystem::exists("/usr/bin/virsh") || !std::filesystem::exists(socket)) {
        return std::nullopt;
    }
    const auto file = subject.root() / "typical.xml";
    std::ofstream(file) << typical_domain;
    const std::string one = fmt::format("domxml-to-native qemu-argv {};", file.string());
    const auto run = [&](int documents) {
        std::string commands;
        for (int i = 0; i < documents; ++i) {
            commands += one;
        }
        const test::Finished done = test::run_command(
            {.words = {"virsh",
                       "-c",
                       fmt::format("qemu+unix:///system?socket={}", socket.string()),
                       commands}},
            std::chrono::seconds(60));
        REQUIRE_MESSAGE(done.status == 0, done.output);
    };
    run(1);
    const double base = median_milliseconds(5, [&] { run(1); });
    return (median_milliseconds(5, [&] { run(1 + more); }) - base) / more;
}

void measure_native() {
    const auto ours = Subject::vireo();
    Figure figure{.what = "typical document to arguments, over the bus", .unit = "ms"};
    figure.ours = native_ms(*ours);
    if (const auto theirs = Subject::libvirt()) {
        theirs->list(); // its daemon runs from here on
        figure.theirs = peer_native_ms(*theirs);
    }
    record(figure);
}

} // namespace

TEST_CASE("documents of domains") {
    measure_model();
    measure_native();
    CHECK(take_missed().empty());
}
