// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <systemd/sd-event.h>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>

namespace vireo {

class Workers;

/// Owns an event source: destroying it takes the callback back.
struct SourceDeleter {
    void operator()(sd_event_source* source) const noexcept {
        sd_event_source_disable_unref(source);
    }
};

using Source = std::unique_ptr<sd_event_source, SourceDeleter>;

/// The event loop of a daemon: one thread, one sd_event.
class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    sd_event* get() const noexcept { return event_; }

    /// Dispatches until exit() is called; gives the status that exit() was told.
    int run();
    void exit(int status);
    /// Dispatches what is ready, waiting at most `limit`; for tests and for tools.
    void run_once(std::chrono::microseconds limit);
    /// CLOCK_MONOTONIC of the iteration that is being dispatched.
    std::chrono::microseconds now() const;
    /// The threads for calls that block (libshared/async/offload.hpp), started when first needed.
    Workers& workers();

  private:
    sd_event* event_ = nullptr;
    std::unique_ptr<Workers> workers_;
};

/// A duration as sd-event and sd-bus take it; one in the past is none.
constexpr std::uint64_t to_usec(std::chrono::microseconds duration) noexcept {
    return duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count());
}

/// Resumes a coroutine from the loop, once. Used wherever a coroutine becomes ready in code that is
/// not itself a callback of the loop: resuming there would run foreign code on that stack. It is
/// dropped where the loop has ended: what still waits then is about to be cancelled.
class Wakeup {
  public:
    Wakeup() = default;
    Wakeup(const Wakeup&) = delete; // the loop holds its address
    Wakeup& operator=(const Wakeup&) = delete;

    void post(Loop& loop, std::coroutine_handle<> waiter);

    /// Takes it back.
    void cancel() noexcept { source_.reset(); }

    bool posted() const noexcept { return source_ != nullptr; }

  private:
    static int fired(sd_event_source* source, void* self) noexcept;
    std::coroutine_handle<> waiter_;
    Source source_;
};

/// `co_await Sleep(loop, 2s);`
class Sleep {
  public:
    Sleep(Loop& loop, std::chrono::microseconds duration) : loop_(loop), duration_(duration) {}

    bool await_ready() const noexcept { return false; }

    void await_suspend(std::coroutine_handle<> waiter);

    void await_resume() const noexcept {}

  private:
    static int fired(sd_event_source* source, uint64_t usec, void* self) noexcept;
    Loop& loop_;
    std::chrono::microseconds duration_;
    std::coroutine_handle<> waiter_;
    Source source_;
};

/// `co_await Ready(loop, fd, EPOLLIN);` gives the events (epoll_ctl(2)) that arrived. The caller
/// keeps the descriptor open meanwhile, and has no other source on it.
class Ready {
  public:
    Ready(Loop& loop, int fd, uint32_t events) : loop_(loop), fd_(fd), events_(events) {}

    bool await_ready() const noexcept { return false; }

    void await_suspend(std::coroutine_handle<> waiter);

    uint32_t await_resume() const noexcept { return received_; }

  private:
    static int fired(sd_event_source* source, int fd, uint32_t events, void* self) noexcept;
    Loop& loop_;
    int fd_;
    uint32_t events_;
    uint32_t received_ = 0;
    std::coroutine_handle<> waiter_;
    Source source_;
};

} // namespace vireo
