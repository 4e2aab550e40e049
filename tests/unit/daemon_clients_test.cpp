// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/clients.hpp"
#include "tests/support/captured_errors.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace vireo;
using vireo::bus::Caller;

namespace {

struct Bench {
    std::vector<std::string> asked;
    Clients clients{[this](const std::string& name) { asked.push_back(name); }};
    int first_connection = 0;
    int second_connection = 0;

    /// Only its address counts.
    Caller direct(int& connection) { return Caller{"", reinterpret_cast<sd_bus*>(&connection)}; }
};

} // namespace

TEST_CASE("a named client is asked for at the proxy, and its end is told once") {
    Bench bench;
    int gone = 0;
    const auto watch = bench.clients.watch(Caller{":1.5", nullptr}, [&] { ++gone; });
    CHECK(bench.asked == std::vector<std::string>{":1.5"});
    bench.clients.name_left(":1.6");
    CHECK(gone == 0);
    bench.clients.name_left(":1.5");
    bench.clients.name_left(":1.5");
    CHECK(gone == 1);
}

TEST_CASE("a client that is connected directly ends with its connection") {
    Bench bench;
    int gone = 0;
    const auto watch = bench.clients.watch(bench.direct(bench.first_connection), [&] { ++gone; });
    CHECK(bench.asked.empty());
    bench.clients.connection_ended(bench.direct(bench.second_connection).connection);
    CHECK(gone == 0);
    bench.clients.connection_ended(bench.direct(bench.first_connection).connection);
    CHECK(gone == 1);
}

TEST_CASE("a watch that was dropped is not told") {
    Bench bench;
    int gone = 0;
    auto dropped = bench.clients.watch(Caller{":1.5", nullptr}, [&] { ++gone; });
    const auto kept = bench.clients.watch(Caller{":1.5", nullptr}, [&] { gone += 10; });
    dropped.reset();
    bench.clients.name_left(":1.5");
    CHECK(gone == 10);
}

TEST_CASE("a callback may drop other watches, and its own") {
    Bench bench;
    int gone = 0;
    std::vector<std::unique_ptr<Clients::Watch>> watches;
    for (int i = 0; i < 3; ++i) {
        watches.push_back(bench.clients.watch(Caller{":1.5", nullptr}, [&] {
            ++gone;
            watches.clear();
        }));
    }
    bench.clients.name_left(":1.5");
    CHECK(gone == 1);
}

TEST_CASE("a callback that fails is logged and does not keep others from being told") {
    Bench bench;
    const test::CapturedErrors errors;
    int gone = 0;
    const auto broken =
        bench.clients.watch(Caller{":1.5", nullptr}, [] { throw std::runtime_error("broken"); });
    const auto kept = bench.clients.watch(Caller{":1.5", nullptr}, [&] { ++gone; });
    bench.clients.name_left(":1.5");
    CHECK(gone == 1);
    CHECK(errors.text().find("name :1.5 has left: broken") != std::string::npos);
}

TEST_CASE("a proxy that connects anew is asked again for every name that is watched") {
    Bench bench;
    const auto one = bench.clients.watch(Caller{":1.5", nullptr}, [] {});
    const auto same = bench.clients.watch(Caller{":1.5", nullptr}, [] {});
    auto dropped = bench.clients.watch(Caller{":1.6", nullptr}, [] {});
    const auto direct = bench.clients.watch(bench.direct(bench.first_connection), [] {});
    dropped.reset();
    bench.asked.clear();
    bench.clients.ask_again();
    CHECK(bench.asked == std::vector<std::string>{":1.5"});
}
