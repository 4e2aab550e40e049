// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace vireo::test {

/// Dispatches until `done()`; false where that takes longer than `limit`.
template <class F>
[[nodiscard]] bool
run_until(Loop& loop, F done, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        const auto left = std::chrono::ceil<std::chrono::microseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return false;
        }
        loop.run_once(left);
    }
    return true;
}

/// Dispatches what is ready now, and what becomes ready by that.
inline void run_ready(Loop& loop) {
    while (sd_event_run(loop.get(), 0) > 0) {
    }
}

/// How a task ended.
template <class T>
struct Outcome {
    std::optional<T> value;
    std::exception_ptr failure;
    bool ended = false;
};

template <>
struct Outcome<void> {
    std::exception_ptr failure;
    bool ended = false;
};

template <class T>
Task<void> observe(Task<T> task, Outcome<T>& outcome) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(task);
        } else {
            T value = co_await std::move(task);
            outcome.value.emplace(std::move(value));
        }
    } catch (...) {
        outcome.failure = std::current_exception();
    }
    outcome.ended = true;
}

/// Runs a task to its end and gives its result, or throws what it threw.
template <class T>
T finish(Loop& loop, Task<T> task) {
    Outcome<T> outcome;
    Scope scope(loop);
    scope.spawn(observe(std::move(task), outcome), "test");
    if (!run_until(loop, [&] { return outcome.ended; })) {
        throw std::runtime_error("the task that the test waits for does not end");
    }
    if (outcome.failure) {
        std::rethrow_exception(outcome.failure);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*outcome.value);
    }
}

/// Objects of it are counted: after a cancellation none may be left.
class Counted {
  public:
    Counted() noexcept { ++live; }

    Counted(const Counted&) noexcept { ++live; }

    Counted& operator=(const Counted&) = default;

    ~Counted() { --live; }

    static inline int live = 0;
};

} // namespace vireo::test
