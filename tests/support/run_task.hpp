// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>

namespace vireo::test {

/// Runs the loop until `done()`; throws after `limit`, so that a test that waits for what never
/// comes ends.
inline void run_until(Loop& loop,
                      const std::function<bool()>& done,
                      std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("what the test waits for does not come");
        }
        loop.run_once(std::chrono::milliseconds(100));
    }
}

namespace detail {

template <class T>
Task<void> keep_outcome(Task<T> task, std::optional<T>& value, std::exception_ptr& failure) {
    try {
        T result = co_await std::move(task);
        value.emplace(std::move(result));
    } catch (...) {
        failure = std::current_exception();
    }
}

inline Task<bool> with_value(Task<void> task) {
    co_await std::move(task);
    co_return true;
}

} // namespace detail

/// Runs a task to its end; gives what it gives, throws what it throws.
template <class T>
T run_task(Loop& loop, Task<T> task) {
    std::optional<T> value;
    std::exception_ptr failure;
    Scope scope(loop);
    scope.spawn(detail::keep_outcome(std::move(task), value, failure), "test");
    run_until(loop, [&] { return value || failure; });
    if (failure) {
        std::rethrow_exception(failure);
    }
    return std::move(*value);
}

inline void run_task(Loop& loop, Task<void> task) {
    run_task(loop, detail::with_value(std::move(task)));
}

} // namespace vireo::test
