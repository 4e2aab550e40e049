// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/error.hpp"
#include "tests/support/captured_errors.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

Task<int> give(int value) {
    co_return value;
}

Task<std::unique_ptr<int>> give_owned(int value) {
    co_return std::make_unique<int>(value);
}

Task<int> refuse() {
    throw Error(ErrorCode::no_domain, "no domain 'x'");
    co_return 0;
}

Task<void> refuse_late(Loop& loop) {
    co_await Sleep(loop, 0us);
    throw Error(ErrorCode::no_domain, "no domain 'x'");
}

Task<int> pass_on() {
    const int value = co_await refuse();
    co_return value;
}

Task<void> mark(bool& ran) {
    ran = true;
    co_return;
}

Task<long> sum(int count) {
    long total = 0;
    for (int i = 0; i < count; ++i) {
        const int value = co_await give(i);
        total += value;
    }
    co_return total;
}

Task<int> nest(int depth) {
    if (depth == 0) {
        co_return 0;
    }
    const int below = co_await nest(depth - 1);
    co_return below + 1;
}

Task<void> hold(Loop& loop, Counted held) {
    const Counted local = held;
    co_await Sleep(loop, 1h);
}

Task<void> hold_below(Loop& loop, Counted held) {
    const Counted local = held;
    co_await hold(loop, held);
}

} // namespace

TEST_CASE("a task gives its result to who awaits it") {
    Loop loop;
    CHECK(finish(loop, give(7)) == 7);
    CHECK(*finish(loop, give_owned(8)) == 8);
}

TEST_CASE("an exception passes through co_await unchanged") {
    Loop loop;
    try {
        finish(loop, pass_on());
        FAIL("nothing was thrown");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::no_domain);
        CHECK(std::string(e.what()) == "no domain 'x'");
    }
    CHECK_THROWS_AS(finish(loop, refuse_late(loop)), Error);
}

TEST_CASE("a task does not begin before it is awaited, and may be dropped unbegun") {
    Loop loop;
    bool ran = false;
    {
        auto dropped = mark(ran);
        CHECK_FALSE(ran);
    }
    CHECK_FALSE(ran);
    finish(loop, mark(ran));
    CHECK(ran);
}

TEST_CASE("100,000 awaits of ready tasks in a loop do not grow the stack") {
    Loop loop;
    CHECK(finish(loop, sum(100000)) == 4999950000L);
    CHECK(finish(loop, nest(100)) == 100);
}

TEST_CASE("moving a task into another cancels the other's frame") {
    Loop loop;
    auto task = hold(loop, Counted());
    CHECK(Counted::live == 1);
    task = hold_below(loop, Counted());
    CHECK(Counted::live == 1);
    task.cancel();
    CHECK(Counted::live == 0);
}

TEST_CASE("a scope runs a task up to its first wait at once, the rest from the loop") {
    Loop loop;
    Scope scope(loop);
    bool ran = false;
    scope.spawn(mark(ran), "mark");
    CHECK(ran);
    CHECK(scope.running() == 0);
    scope.spawn(hold_below(loop, Counted()), "hold");
    CHECK(scope.running() == 1);
    CHECK(Counted::live > 0);
    scope.cancel();
    CHECK(scope.running() == 0);
    CHECK(Counted::live == 0);
}

namespace {

Task<void> keep_until(Loop& loop, Counted, bool& ended) {
    co_await Sleep(loop, 1us);
    ended = true;
}

Task<void> end_at_once(Counted) {
    co_return;
}

} // namespace

TEST_CASE("the frame of a task that has ended is freed from the loop") {
    Loop loop;
    Scope scope(loop);
    bool ended = false;
    scope.spawn(keep_until(loop, Counted(), ended), "keep");
    scope.spawn(end_at_once(Counted()), "end");
    CHECK(Counted::live == 2);
    REQUIRE(run_until(loop, [&] { return ended; }));
    run_ready(loop);
    CHECK(Counted::live == 0);
}

TEST_CASE("a scope tells when its last task has ended, each time") {
    Loop loop;
    Scope scope(loop);
    int told = 0;
    scope.on_empty([&] { ++told; });
    bool first = false;
    bool second = false;
    scope.spawn(keep_until(loop, Counted(), first), "first");
    scope.spawn(keep_until(loop, Counted(), second), "second");
    REQUIRE(run_until(loop, [&] { return told == 1; }));
    CHECK(first);
    CHECK(second);
    scope.spawn(mark(first), "third");
    REQUIRE(run_until(loop, [&] { return told == 2; }));
}

TEST_CASE("an exception that leaves a spawned task is logged with the task's name") {
    Loop loop;
    const CapturedErrors errors;
    Scope scope(loop);
    scope.spawn(refuse_late(loop), "look up");
    REQUIRE(run_until(loop, [&] { return !errors.text().empty(); }));
    CHECK(errors.text().find("look up: Domain not found: no domain 'x'") != std::string::npos);
}

TEST_CASE("an exception of a task that ended just before the scope closed is logged, too") {
    Loop loop;
    const CapturedErrors errors;
    {
        Scope scope(loop);
        scope.spawn(refuse_late(loop), "look up");
        REQUIRE(run_until(loop, [&] { return scope.running() == 0; }));
        CHECK(errors.text().empty());
    }
    CHECK(errors.text().find("look up: Domain not found") != std::string::npos);
}

namespace {

struct SpawnsAtDeath {
    Scope& scope;
    bool& ran;

    SpawnsAtDeath(Scope& s, bool& r) : scope(s), ran(r) {}

    SpawnsAtDeath(const SpawnsAtDeath&) = delete;

    ~SpawnsAtDeath() { scope.spawn(mark(ran), "late"); }
};

Task<void> spawn_at_end(Scope& scope, bool& ran) {
    const SpawnsAtDeath late(scope, ran);
    co_await Sleep(scope.loop(), 1h);
}

} // namespace

TEST_CASE("what is spawned while a scope closes is dropped, also when it was closed for good") {
    Loop loop;
    Scope scope(loop);
    bool ran = false;
    scope.spawn(spawn_at_end(scope, ran), "outer");
    scope.cancel();
    CHECK_FALSE(ran);
    scope.spawn(mark(ran), "again"); // cancel() alone leaves it open
    CHECK(ran);
    ran = false;
    scope.close();
    scope.spawn(mark(ran), "too late");
    CHECK_FALSE(ran);
}
