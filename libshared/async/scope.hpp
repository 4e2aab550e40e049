// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"

#include <functional>
#include <list>
#include <string>

namespace vireo {

/// Owns tasks that nobody awaits. Destroying it cancels them; what they spawn while it closes is
/// dropped. An exception that leaves a task is logged as a bug, with the task's name.
class Scope {
  public:
    explicit Scope(Loop& loop) : loop_(loop) {}

    ~Scope() { cancel(); }

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    /// Runs `task` up to its first wait, here; the rest from the loop.
    void spawn(Task<void> task, std::string name);
    /// Cancels every task. Must not be called from one of them.
    void cancel() noexcept;
    /// The same for good: what is spawned later is dropped too.
    void close() noexcept;

    std::size_t running() const noexcept { return running_; }

    /// Is called from the loop each time the last task has ended.
    void on_empty(std::function<void()> callback) { on_empty_ = std::move(callback); }

    Loop& loop() noexcept { return loop_; }

  private:
    struct Node {
        Scope& scope;
        Task<void> task;
        std::string name;
        bool done = false;
    };

    static void finished(void* node) noexcept;
    static int sweep(sd_event_source* source, void* self) noexcept;
    void free_finished();

    Loop& loop_;
    std::list<Node> nodes_;
    std::function<void()> on_empty_;
    Source sweep_;
    std::size_t running_ = 0;
    bool closing_ = false;
    bool closed_ = false;
};

} // namespace vireo
