// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/fd.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace vireo {

/// One call that runs on a worker thread. Shared by the thread and the waiter, so that either may
/// go first.
struct OffloadedCall {
    std::function<void()> run; // stores its own result
    std::exception_ptr failure;
    std::coroutine_handle<> waiter; // of the loop's thread; empty once cancelled
};

/// At most four threads for calls that block in the kernel and have no asynchronous form: fsync(2),
/// sysfs writes. They end when they had nothing to do for `idle_limit`.
class Workers {
  public:
    explicit Workers(Loop& loop, std::chrono::milliseconds idle_limit = std::chrono::seconds(5));
    /// Waits for the calls that are running; those not yet begun are dropped.
    ~Workers();
    /// Throws system_error where there is no thread to run it and none can be started.
    void submit(std::shared_ptr<OffloadedCall> call);
    /// How many there are now.
    int threads();

  private:
    static int finished(sd_event_source* source, int fd, uint32_t events, void* self) noexcept;
    void work();

    const std::chrono::milliseconds idle_limit_;
    Fd event_fd_;
    Source source_;
    std::mutex mutex_;
    std::condition_variable available_;
    std::condition_variable ended_;
    std::deque<std::shared_ptr<OffloadedCall>> waiting_;
    std::vector<std::shared_ptr<OffloadedCall>> done_;
    int threads_ = 0;
    int idle_ = 0;
    bool stopping_ = false;
};

/// `auto size = co_await Offload<int>(loop, std::move(call));` runs `call` on a worker thread and
/// gives what it returns or throws. A cancelled waiter does not stop the call: `call` owns all that
/// it uses.
template <class T>
class Offload {
  public:
    Offload(Loop& loop, std::function<T()> call)
        : loop_(loop),
          call_(std::make_shared<OffloadedCall>()),
          value_(std::make_shared<std::optional<T>>()) {
        call_->run = [work = std::move(call), value = value_] { value->emplace(work()); };
    }

    Offload(const Offload&) = delete;
    Offload& operator=(const Offload&) = delete;

    ~Offload() { call_->waiter = {}; }

    bool await_ready() const noexcept { return false; }

    void await_suspend(std::coroutine_handle<> waiter) {
        call_->waiter = waiter;
        loop_.workers().submit(call_);
    }

    T await_resume() {
        if (call_->failure) {
            std::rethrow_exception(call_->failure);
        }
        return std::move(**value_);
    }

  private:
    Loop& loop_;
    std::shared_ptr<OffloadedCall> call_;
    std::shared_ptr<std::optional<T>> value_;
};

template <>
class Offload<void> : private Offload<bool> {
  public:
    Offload(Loop& loop, std::function<void()> call)
        : Offload<bool>(loop, [work = std::move(call)] {
              work();
              return true;
          }) {}

    using Offload<bool>::await_ready;
    using Offload<bool>::await_suspend;

    void await_resume() { Offload<bool>::await_resume(); }
};

} // namespace vireo
