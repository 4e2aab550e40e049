// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/offload.hpp"

#include "libshared/error.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <system_error>
#include <thread>
#include <utility>

namespace vireo {

namespace {

constexpr int most_threads = 4;

} // namespace

Workers::Workers(Loop& loop, std::chrono::milliseconds idle_limit)
    : idle_limit_(idle_limit), event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    check_errno(event_fd_.get(), "create an eventfd");
    sd_event_source* source = nullptr;
    check(sd_event_add_io(loop.get(), &source, event_fd_.get(), EPOLLIN, &finished, this),
          "watch the worker threads");
    source_.reset(source);
}

Workers::~Workers() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    available_.notify_all();
    ended_.wait(lock, [this] { return threads_ == 0; });
}

void Workers::submit(std::shared_ptr<OffloadedCall> call) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(call));
    if (std::cmp_less_equal(waiting_.size(), idle_)) {
        available_.notify_one();
    } else if (threads_ < most_threads) {
        try {
            std::thread([this] { work(); }).detach(); // ~Workers waits for threads_ to reach 0
            ++threads_;
        } catch (const std::system_error& e) {
            if (threads_ == 0) {
                waiting_.pop_back();
                throw Error(ErrorCode::system_error, "start a thread: {}", e.code().message());
            }
        }
    }
}

int Workers::threads() {
    const std::lock_guard lock(mutex_);
    return threads_;
}

void Workers::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        const bool woken = available_.wait_for(
            lock, idle_limit_, [this] { return stopping_ || !waiting_.empty(); });
        --idle_;
        if (!woken || stopping_) {
            break;
        }
        const auto call = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        try {
            call->run();
        } catch (...) {
            call->failure = std::current_exception();
        }
        lock.lock();
        done_.push_back(call);
        eventfd_write(event_fd_.get(), 1);
    }
    --threads_;
    ended_.notify_all(); // with the mutex held: ~Workers cannot go on before this thread lets go
}

int Workers::finished(sd_event_source*, int fd, uint32_t, void* context) noexcept {
    auto* self = static_cast<Workers*>(context);
    eventfd_t count = 0;
    eventfd_read(fd, &count);
    std::vector<std::shared_ptr<OffloadedCall>> done;
    {
        const std::lock_guard lock(self->mutex_);
        done.swap(self->done_);
    }
    for (const auto& call : done) {
        if (call->waiter) { // looked at each time: an earlier one may have cancelled a later one
            call->waiter.resume();
        }
    }
    return 0;
}

} // namespace vireo
