// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace vireo {

namespace detail {

/// What the promises of all tasks share. `waiter` is resumed when the task ends; `finished` is told
/// instead where a Scope owns the task.
struct PromiseBase {
    std::coroutine_handle<> waiter;
    std::exception_ptr failure;
    void (*finished)(void* context) noexcept = nullptr;
    void* context = nullptr;

    struct Final {
        bool await_ready() noexcept { return false; }

        void await_resume() noexcept {}

        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
            PromiseBase& promise = self.promise();
            if (promise.finished != nullptr) {
                promise.finished(promise.context);
            }
            return promise.waiter ? promise.waiter : std::noop_coroutine();
        }
    };

    std::suspend_always initial_suspend() noexcept { return {}; }

    Final final_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept { failure = std::current_exception(); }

    void rethrow() const {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
};

template <class T>
struct PromiseValue : PromiseBase {
    std::optional<T> value;

    template <class U>
    void return_value(U&& v) {
        value.emplace(std::forward<U>(v));
    }

    T take() {
        rethrow();
        return std::move(*value);
    }
};

template <>
struct PromiseValue<void> : PromiseBase {
    void return_void() noexcept {}

    void take() const { rethrow(); }
};

} // namespace detail

/// A lazy coroutine: it runs when it is awaited (or given to a Scope), owns its frame and may be
/// destroyed only while it is suspended, which cancels it: everything that the frame holds is
/// destroyed, awaited children first. Rules for writing one: docs/style.md, section 6.
template <class T>
class [[nodiscard]] Task {
  public:
    struct promise_type : detail::PromiseValue<T> {
        Task get_return_object() { return Task(Handle::from_promise(*this)); }
    };

    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}

    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            cancel();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }

    ~Task() { cancel(); }

    class Awaiter {
      public:
        explicit Awaiter(Handle handle) noexcept : handle_(handle) {}

        bool await_ready() const noexcept { return false; }

        /// Runs the child here: no tail call, so no stack that grows with a loop over ready tasks.
        bool await_suspend(std::coroutine_handle<> waiter) noexcept {
            handle_.resume();
            if (handle_.done()) {
                return false;
            }
            handle_.promise().waiter = waiter;
            return true;
        }

        T await_resume() { return handle_.promise().take(); }

      private:
        Handle handle_;
    };

    Awaiter operator co_await() && noexcept { return Awaiter(handle_); }

    /// For what drives tasks (Scope, Deadline); all else awaits.
    Handle handle() const noexcept { return handle_; }

    /// Destroys the frame.
    void cancel() noexcept {
        if (handle_) {
            std::exchange(handle_, {}).destroy();
        }
    }

  private:
    Handle handle_;
};

} // namespace vireo
