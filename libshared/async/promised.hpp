// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace vireo {

/// A value that somebody else delivers, once, to one waiter: `resolve` or `fail` here,
/// `co_await promised.value();` there. Both may come first. It outlives its waiter.
template <class T>
class Promised {
  public:
    explicit Promised(Loop& loop) : loop_(loop) {}

    Promised(const Promised&) = delete;
    Promised& operator=(const Promised&) = delete;

    void resolve(T value) {
        value_.emplace(std::move(value));
        wake();
    }

    void fail(std::exception_ptr failure) {
        failure_ = std::move(failure);
        wake();
    }

    bool settled() const noexcept { return value_.has_value() || failure_ != nullptr; }

    class Awaiter {
      public:
        explicit Awaiter(Promised& promised) : promised_(promised) {}

        Awaiter(const Awaiter&) = delete;
        Awaiter& operator=(const Awaiter&) = delete;

        ~Awaiter() {
            promised_.waiter_ = {};
            promised_.wakeup_.cancel();
        }

        bool await_ready() const noexcept { return promised_.settled(); }

        void await_suspend(std::coroutine_handle<> waiter) noexcept { promised_.waiter_ = waiter; }

        T await_resume() {
            if (promised_.failure_) {
                std::rethrow_exception(promised_.failure_);
            }
            return std::move(*promised_.value_);
        }

      private:
        Promised& promised_;
    };

    Awaiter value() { return Awaiter(*this); }

  private:
    void wake() {
        if (waiter_ && !wakeup_.posted()) {
            wakeup_.post(loop_, waiter_);
        }
    }

    Loop& loop_;
    std::optional<T> value_;
    std::exception_ptr failure_;
    std::coroutine_handle<> waiter_;
    Wakeup wakeup_;
};

/// Wakes everybody who waits: `co_await changed.next();` returns after the next notify(). What the
/// waiter looked for is looked up again then; nothing is passed. It outlives its waiters.
class Condition {
  public:
    explicit Condition(Loop& loop) : loop_(loop) {}

    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    class Awaiter {
      public:
        explicit Awaiter(Condition& condition) : condition_(condition) {}

        Awaiter(const Awaiter&) = delete;
        Awaiter& operator=(const Awaiter&) = delete;

        ~Awaiter() { std::erase(condition_.waiters_, this); }

        bool await_ready() const noexcept { return false; }

        void await_suspend(std::coroutine_handle<> waiter) {
            waiter_ = waiter;
            condition_.waiters_.push_back(this);
        }

        void await_resume() const noexcept {}

      private:
        friend class Condition;
        Condition& condition_;
        std::coroutine_handle<> waiter_;
        Wakeup wakeup_;
    };

    Awaiter next() { return Awaiter(*this); }

    void notify() {
        for (Awaiter* awaiter : std::exchange(waiters_, {})) {
            awaiter->wakeup_.post(loop_, awaiter->waiter_);
        }
    }

  private:
    Loop& loop_;
    std::vector<Awaiter*> waiters_;
};

} // namespace vireo
