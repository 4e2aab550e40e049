// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "libshared/error.hpp"

#include <string>

namespace vireo {

/// `auto reply = co_await Deadline(loop, std::move(task), 10s, "the reply of QEMU");`
/// Throws operation_timeout and cancels the task where it takes longer. A result that is there when
/// the timer fires wins.
template <class T>
class Deadline {
  public:
    Deadline(Loop& loop, Task<T> task, std::chrono::microseconds limit, std::string what)
        : loop_(loop), task_(std::move(task)), limit_(limit), what_(std::move(what)) {}

    bool await_ready() const noexcept { return false; }

    bool await_suspend(std::coroutine_handle<> waiter) {
        waiter_ = waiter;
        const auto handle = task_.handle();
        handle.resume();
        if (handle.done()) {
            return false;
        }
        handle.promise().waiter = waiter;
        sd_event_source* source = nullptr;
        check(sd_event_add_time_relative(
                  loop_.get(), &source, CLOCK_MONOTONIC, to_usec(limit_), 1, &fired, this),
              "add a timer");
        timer_.reset(source);
        // After all that has arrived already.
        check(sd_event_source_set_priority(source, SD_EVENT_PRIORITY_NORMAL + 10), "order a timer");
        return true;
    }

    T await_resume() {
        timer_.reset();
        if (expired_) {
            throw Error(ErrorCode::operation_timeout,
                        "no end of {} within {} ms",
                        what_,
                        std::chrono::duration_cast<std::chrono::milliseconds>(limit_).count());
        }
        return task_.handle().promise().take();
    }

  private:
    static int fired(sd_event_source*, uint64_t, void* context) noexcept {
        auto* self = static_cast<Deadline*>(context);
        self->expired_ = true;
        self->timer_.reset();
        self->task_.cancel();
        self->waiter_.resume();
        return 0; // *self may be gone
    }

    Loop& loop_;
    Task<T> task_;
    std::chrono::microseconds limit_;
    std::string what_;
    std::coroutine_handle<> waiter_;
    Source timer_;
    bool expired_ = false;
};

} // namespace vireo
