// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/loop.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"

#include <ctime>

namespace vireo {

Loop::Loop() {
    check(sd_event_new(&event_), "create the event loop");
}

Loop::~Loop() {
    workers_.reset();
    sd_event_unref(event_);
}

int Loop::run() {
    return check(sd_event_loop(event_), "run the event loop");
}

void Loop::exit(int status) {
    check(sd_event_exit(event_, status), "end the event loop");
}

void Loop::run_once(std::chrono::microseconds limit) {
    check(sd_event_run(event_, static_cast<uint64_t>(limit.count())), "run the event loop");
}

std::chrono::microseconds Loop::now() const {
    uint64_t usec = 0;
    check(sd_event_now(event_, CLOCK_MONOTONIC, &usec), "read the clock");
    return std::chrono::microseconds(usec);
}

Workers& Loop::workers() {
    if (!workers_) {
        workers_ = std::make_unique<Workers>(*this);
    }
    return *workers_;
}

void Wakeup::post(Loop& loop, std::coroutine_handle<> waiter) {
    if (sd_event_get_state(loop.get()) == SD_EVENT_FINISHED) {
        return; // often called by destructors, which must not throw
    }
    waiter_ = waiter;
    sd_event_source* source = nullptr;
    check(sd_event_add_defer(loop.get(), &source, &fired, this), "post a wake-up");
    source_.reset(source);
}

int Wakeup::fired(sd_event_source*, void* self) noexcept {
    auto* wakeup = static_cast<Wakeup*>(self);
    wakeup->source_.reset();
    wakeup->waiter_.resume();
    return 0; // *wakeup may be gone
}

void Sleep::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    sd_event_source* source = nullptr;
    check(sd_event_add_time_relative(
              loop_.get(), &source, CLOCK_MONOTONIC, to_usec(duration_), 1, &fired, this),
          "add a timer");
    source_.reset(source);
}

int Sleep::fired(sd_event_source*, uint64_t, void* self) noexcept {
    static_cast<Sleep*>(self)->waiter_.resume();
    return 0; // *self may be gone
}

void Ready::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    sd_event_source* source = nullptr;
    check(sd_event_add_io(loop_.get(), &source, fd_, events_, &fired, this), "watch a descriptor");
    source_.reset(source);
}

int Ready::fired(sd_event_source*, int, uint32_t events, void* self) noexcept {
    auto* ready = static_cast<Ready*>(self);
    ready->received_ = events;
    ready->source_.reset(); // level-triggered: it must not fire again before the waiter has acted
    ready->waiter_.resume();
    return 0; // *ready may be gone
}

} // namespace vireo
