// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

/// Holds worker threads until it is opened.
class Gate {
  public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

    void pass() {
        std::unique_lock lock(mutex_);
        ++inside_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }

    void wait_for(int inside) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return inside_ >= inside; });
    }

    int inside() {
        const std::lock_guard lock(mutex_);
        return inside_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int inside_ = 0;
};

template <class T>
Task<T> offload(Loop& loop, std::function<T()> call) {
    co_return co_await Offload<T>(loop, std::move(call));
}

Task<void> pass(Loop& loop, std::shared_ptr<Gate> gate, int& passed) {
    std::function<void()> call = [gate] { gate->pass(); };
    co_await Offload<void>(loop, std::move(call));
    ++passed;
}

Task<void> pass_counted(Loop& loop, std::shared_ptr<Gate> gate, Counted held) {
    std::function<void()> call = [gate, held] { gate->pass(); };
    co_await Offload<void>(loop, std::move(call));
}

} // namespace

TEST_CASE("an offloaded call runs on another thread and gives its result") {
    Loop loop;
    const auto here = std::this_thread::get_id();
    const auto there =
        finish(loop, offload<std::thread::id>(loop, [] { return std::this_thread::get_id(); }));
    CHECK(there != here);
    CHECK(finish(loop, offload<std::string>(loop, [] { return std::string("done"); })) == "done");
}

TEST_CASE("what an offloaded call throws is thrown to who waits for it") {
    Loop loop;
    CHECK_THROWS_WITH_AS(
        finish(
            loop,
            offload<int>(loop, []() -> int { throw Error(ErrorCode::system_error, "no disk"); })),
        "no disk",
        Error);
    CHECK_THROWS_AS(finish(loop, offload<void>(loop, [] { throw std::runtime_error("other"); })),
                    std::runtime_error);
}

TEST_CASE("at most four calls run at once, and all of them end") {
    Loop loop;
    const auto gate = std::make_shared<Gate>();
    int passed = 0;
    Scope scope(loop);
    for (int i = 0; i < 9; ++i) {
        scope.spawn(pass(loop, gate, passed), "pass");
    }
    gate->wait_for(4);
    CHECK(gate->inside() == 4);
    CHECK(loop.workers().threads() == 4);
    CHECK(passed == 0);
    gate->open();
    REQUIRE(run_until(loop, [&] { return passed == 9; }));
}

TEST_CASE("a call whose waiter was cancelled goes on and its result is dropped") {
    Loop loop;
    const auto gate = std::make_shared<Gate>();
    {
        Scope scope(loop);
        scope.spawn(pass_counted(loop, gate, Counted()), "pass");
        gate->wait_for(1);
    }
    CHECK(Counted::live > 0); // the call still owns what it uses
    gate->open();
    REQUIRE(run_until(loop, [] { return Counted::live == 0; }));
}

TEST_CASE("calls that have not begun are dropped with the loop, those that have are waited for") {
    auto loop = std::make_unique<Loop>();
    const auto gate = std::make_shared<Gate>();
    {
        Scope scope(*loop);
        for (int i = 0; i < 6; ++i) {
            scope.spawn(pass_counted(*loop, gate, Counted()), "pass");
        }
        gate->wait_for(4);
        gate->open();
    }
    loop.reset();
    CHECK(Counted::live == 0);
    CHECK(gate->inside() >= 4);
}

TEST_CASE("worker threads end when they have had nothing to do for a while") {
    Loop loop;
    Workers workers(loop, 1ms);
    const auto call = std::make_shared<OffloadedCall>();
    std::atomic<bool> ran = false;
    call->run = [&] { ran = true; };
    workers.submit(call);
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!(ran && workers.threads() == 0) && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    CHECK(ran);
    CHECK(workers.threads() == 0);
    const auto again = std::make_shared<OffloadedCall>();
    ran = false;
    again->run = call->run;
    workers.submit(again);
    REQUIRE(run_until(loop, [&] { return ran.load(); }));
}
