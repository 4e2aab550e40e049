// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"

#include <list>
#include <utility>

namespace vireo {

/// Puts the changes of one object in order: `const auto turn = co_await queue.turn();` waits until
/// every earlier turn has ended. A waiter that is cancelled leaves the queue. It outlives its
/// turns.
class ChangeQueue {
  public:
    explicit ChangeQueue(Loop& loop) : loop_(loop) {}

    ChangeQueue(const ChangeQueue&) = delete;
    ChangeQueue& operator=(const ChangeQueue&) = delete;

    /// Held while the change goes on.
    class Turn {
      public:
        explicit Turn(ChangeQueue& queue) noexcept : queue_(&queue) {}

        Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}

        Turn& operator=(Turn&&) = delete;

        ~Turn() {
            if (queue_ != nullptr) {
                queue_->next();
            }
        }

      private:
        ChangeQueue* queue_;
    };

    class Awaiter {
      public:
        explicit Awaiter(ChangeQueue& queue) : queue_(queue) {}

        Awaiter(const Awaiter&) = delete;
        Awaiter& operator=(const Awaiter&) = delete;

        ~Awaiter() {
            std::erase(queue_.waiting_, this);
            if (chosen_ && !taken_) {
                queue_.next(); // cancelled between being chosen and being resumed
            }
        }

        bool await_ready() noexcept {
            if (queue_.busy_) {
                return false;
            }
            queue_.busy_ = true;
            return true;
        }

        void await_suspend(std::coroutine_handle<> waiter) {
            waiter_ = waiter;
            queue_.waiting_.push_back(this);
        }

        Turn await_resume() noexcept {
            taken_ = true;
            return Turn(queue_);
        }

      private:
        friend class ChangeQueue;
        ChangeQueue& queue_;
        std::coroutine_handle<> waiter_;
        Wakeup wakeup_;
        bool chosen_ = false;
        bool taken_ = false;
    };

    Awaiter turn() { return Awaiter(*this); }

    bool busy() const noexcept { return busy_; }

  private:
    void next() {
        if (waiting_.empty()) {
            busy_ = false;
            return;
        }
        Awaiter* awaiter = waiting_.front();
        waiting_.pop_front();
        awaiter->chosen_ = true;
        awaiter->wakeup_.post(loop_, awaiter->waiter_);
    }

    Loop& loop_;
    std::list<Awaiter*> waiting_; // empty, it takes no memory: there is one queue per object
    bool busy_ = false;
};

} // namespace vireo
