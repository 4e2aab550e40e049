// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/deadline.hpp"
#include "libshared/async/loop.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/queue.hpp"
#include "libshared/async/stream.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <sys/epoll.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

Task<void> nap(Loop& loop, std::chrono::microseconds duration) {
    co_await Sleep(loop, duration);
}

Task<int> nap_and_give(Loop& loop, std::chrono::microseconds duration, Counted) {
    co_await Sleep(loop, duration);
    co_return 5;
}

Task<int> within(Loop& loop, Task<int> task, std::chrono::microseconds limit) {
    const int value = co_await Deadline(loop, std::move(task), limit, "the nap");
    co_return value;
}

Task<std::uint32_t> wait_for(Loop& loop, int fd, std::uint32_t events) {
    const std::uint32_t received = co_await Ready(loop, fd, events);
    co_return received;
}

template <class T>
Task<T> value_of(Promised<T>& promised) {
    T value = co_await promised.value();
    co_return value;
}

} // namespace

TEST_CASE("a sleep lasts at least as long as it is told, a negative one not at all") {
    Loop loop;
    const auto begin = std::chrono::steady_clock::now();
    finish(loop, nap(loop, 2ms));
    CHECK(std::chrono::steady_clock::now() - begin >= 2ms);
    finish(loop, nap(loop, -5s));
}

TEST_CASE("a descriptor's events arrive, and again for the next waiter") {
    Loop loop;
    const Pipe pipe = make_pipe();
    CHECK(finish(loop, wait_for(loop, pipe.write.get(), EPOLLOUT)) == EPOLLOUT);
    REQUIRE(::write(pipe.write.get(), "x", 1) == 1);
    CHECK(finish(loop, wait_for(loop, pipe.read.get(), EPOLLIN)) == EPOLLIN);
    CHECK(finish(loop, wait_for(loop, pipe.read.get(), EPOLLIN)) == EPOLLIN);
}

TEST_CASE("a deadline passes a result on and throws operation_timeout where none comes") {
    Loop loop;
    CHECK(finish(loop, within(loop, nap_and_give(loop, 1us, Counted()), 20s)) == 5);
    try {
        finish(loop, within(loop, nap_and_give(loop, 1h, Counted()), 2ms));
        FAIL("nothing was thrown");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::operation_timeout);
        CHECK(std::string(e.what()) == "no end of the nap within 2 ms");
    }
    CHECK(Counted::live == 0);
    CHECK_THROWS_AS(finish(loop, within(loop, nap_and_give(loop, 1h, Counted()), -1s)), Error);
}

TEST_CASE("a result that is there when the deadline's timer fires wins") {
    Loop loop;
    Promised<int> promised(loop);
    Outcome<int> outcome;
    Scope scope(loop);
    scope.spawn(observe(within(loop, value_of(promised), 1ms), outcome), "test");
    const auto late = std::chrono::steady_clock::now() + 3ms;
    while (std::chrono::steady_clock::now() < late) {
    }
    promised.resolve(9); // the timer is due, too
    REQUIRE(run_until(loop, [&] { return outcome.ended; }));
    CHECK(outcome.value == 9);
}

TEST_CASE("a promised value arrives, whether it comes first or last") {
    Loop loop;
    Promised<std::string> early(loop);
    early.resolve("early");
    CHECK(early.settled());
    CHECK(finish(loop, value_of(early)) == "early");

    Promised<std::string> late(loop);
    Outcome<std::string> outcome;
    Scope scope(loop);
    scope.spawn(observe(value_of(late), outcome), "test");
    late.resolve("late");
    CHECK_FALSE(outcome.ended); // resumed by the loop, not here
    REQUIRE(run_until(loop, [&] { return outcome.ended; }));
    CHECK(outcome.value == "late");

    Promised<std::string> failed(loop);
    failed.fail(std::make_exception_ptr(Error(ErrorCode::operation_failed, "no")));
    CHECK_THROWS_AS(finish(loop, value_of(failed)), Error);
}

TEST_CASE("a value for a waiter that was cancelled wakes nobody") {
    Loop loop;
    Promised<int> promised(loop);
    {
        Scope scope(loop);
        Outcome<int> outcome;
        scope.spawn(observe(value_of(promised), outcome), "test");
        promised.resolve(1);
    }
    run_ready(loop);
    CHECK(promised.settled());
}

namespace {

Task<void> wait_for_change(Condition& condition, int& woken) {
    co_await condition.next();
    ++woken;
}

} // namespace

TEST_CASE("a condition wakes everybody who waits, and who was cancelled not") {
    Loop loop;
    Condition condition(loop);
    int woken = 0;
    Scope kept(loop);
    kept.spawn(wait_for_change(condition, woken), "one");
    kept.spawn(wait_for_change(condition, woken), "two");
    {
        Scope cancelled(loop);
        cancelled.spawn(wait_for_change(condition, woken), "three");
        Scope cancelled_late(loop);
        cancelled_late.spawn(wait_for_change(condition, woken), "four");
        cancelled.cancel();
        condition.notify();
    }
    run_ready(loop);
    CHECK(woken == 2);
    condition.notify();
    run_ready(loop);
    CHECK(woken == 2);
}

namespace {

Task<void> take_turn(ChangeQueue& queue, Promised<bool>& release, std::vector<int>& order, int id) {
    const auto turn = co_await queue.turn();
    order.push_back(id);
    co_await release.value();
}

} // namespace

TEST_CASE("turns come in the order in which they were asked for") {
    Loop loop;
    ChangeQueue queue(loop);
    Promised<bool> first(loop);
    Promised<bool> others(loop);
    others.resolve(true);
    std::vector<int> order;
    Scope scope(loop);
    scope.spawn(take_turn(queue, first, order, 0), "first");
    for (int i = 1; i < 5; ++i) {
        scope.spawn(take_turn(queue, others, order, i), "other");
    }
    run_ready(loop);
    CHECK(order == std::vector{0});
    CHECK(queue.busy());
    first.resolve(true);
    run_ready(loop);
    CHECK(order == std::vector{0, 1, 2, 3, 4});
    CHECK_FALSE(queue.busy());
}

TEST_CASE("a turn whose waiter is cancelled goes to the next, also once it was chosen") {
    Loop loop;
    ChangeQueue queue(loop);
    Promised<bool> first(loop);
    Promised<bool> others(loop);
    others.resolve(true);
    std::vector<int> order;
    Scope holder(loop);
    Scope waiting(loop);
    Scope chosen(loop);
    Scope last(loop);
    holder.spawn(take_turn(queue, first, order, 0), "holder");
    waiting.spawn(take_turn(queue, others, order, 1), "waiting");
    chosen.spawn(take_turn(queue, others, order, 2), "chosen");
    last.spawn(take_turn(queue, others, order, 3), "last");
    waiting.cancel();
    holder.cancel(); // chooses 2, which is not resumed yet
    chosen.cancel();
    run_ready(loop);
    CHECK(order == std::vector{0, 3});
    CHECK_FALSE(queue.busy());
}

TEST_CASE("tasks that wake one another may be cancelled after the loop has ended") {
    Loop loop;
    ChangeQueue queue(loop);
    Promised<bool> never(loop);
    std::vector<int> order;
    {
        Scope scope(loop);
        for (int i = 0; i < 3; ++i) {
            scope.spawn(take_turn(queue, never, order, i), "turn");
        }
        loop.exit(3);
        CHECK(loop.run() == 3);
    }
    CHECK(order == std::vector{0});
    CHECK_FALSE(queue.busy());
}

TEST_CASE("a stream is read to its end, in parts, and not past its limit") {
    Loop loop;
    Pipe pipe = make_pipe();
    const std::string much(200000, 'x'); // more than a pipe holds
    Scope scope(loop);
    Outcome<std::string> outcome;
    scope.spawn(observe(read_to_end(loop, pipe.read.get(), 1 << 20), outcome), "read");
    finish(loop, write_all(loop, pipe.write.get(), much));
    pipe.write.reset();
    REQUIRE(run_until(loop, [&] { return outcome.ended; }));
    CHECK(outcome.value == much);

    Pipe limited = make_pipe();
    REQUIRE(::write(limited.write.get(), "12345678", 8) == 8);
    CHECK(finish(loop, read_some(loop, limited.read.get(), 3)) == "123");
    CHECK_THROWS_WITH_AS(
        finish(loop, read_to_end(loop, limited.read.get(), 4)), "more than 4 bytes", Error);
}

TEST_CASE("writing to a stream that nobody reads any more is an error, not a signal") {
    Loop loop;
    signal(SIGPIPE, SIG_IGN); // as every daemon does
    Pipe pipe = make_pipe();
    pipe.read.reset();
    CHECK_THROWS_WITH_AS(
        finish(loop, write_all(loop, pipe.write.get(), "x")), "write: Broken pipe", Error);
}
