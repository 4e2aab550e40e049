// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/child_guard.hpp"

#include <sys/epoll.h>

#include <csignal>
#include <memory>
#include <utility>

namespace vireo {

namespace {

/// Reaps a killed child from the loop, whenever it ends: no zombie stays, nobody waits.
void reap_later(Loop& loop, Process process) noexcept {
    const auto reap = [](sd_event_source* source, int, uint32_t, void* context) noexcept {
        static_cast<Process*>(context)->ended();
        sd_event_source_set_floating(source, 0); // the last reference
        return 0;
    };
    const int fd = process.pidfd();
    auto kept = std::make_unique<Process>(std::move(process));
    sd_event_source* source = nullptr;
    if (sd_event_add_io(loop.get(), &source, fd, EPOLLIN, reap, kept.get()) >= 0) {
        sd_event_source_set_destroy_callback(
            source, [](void* context) { delete static_cast<Process*>(context); });
        kept.release();
        sd_event_source_set_floating(source, 1); // the loop owns it
        sd_event_source_unref(source);
    }
}

} // namespace

ChildGuard::~ChildGuard() {
    if (process_) {
        process_->kill(SIGKILL);
        reap_later(loop_, std::move(*process_));
    }
}

Process ChildGuard::release() {
    Process process = std::move(*process_);
    process_.reset();
    return process;
}

} // namespace vireo
