// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/scope.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"

namespace vireo {

namespace {

void report(const std::string& name, const Task<void>& task) {
    const std::exception_ptr& failure = task.handle().promise().failure;
    if (!failure) {
        return;
    }
    try {
        std::rethrow_exception(failure);
    } catch (const Error& e) {
        log::error("{}: {}", name, e.phrased());
    } catch (const std::exception& e) {
        log::error("{}: {}", name, e.what());
    } catch (...) {
        log::error("{}: unknown exception", name);
    }
}

} // namespace

void Scope::spawn(Task<void> task, std::string name) {
    if (closing_) {
        return;
    }
    Node& node = nodes_.emplace_back(Node{*this, std::move(task), std::move(name)});
    const auto handle = node.task.handle();
    ++running_;
    handle.promise().finished = &finished;
    handle.promise().context = &node;
    handle.resume();
}

void Scope::finished(void* context) noexcept {
    auto& node = *static_cast<Node*>(context);
    Scope& self = node.scope;
    node.done = true;
    --self.running_;
    if (self.sweep_ || self.closing_) {
        return;
    }
    // The frame is still on the stack: free it from the loop.
    sd_event_source* source = nullptr;
    if (sd_event_add_defer(self.loop_.get(), &source, &sweep, &self) >= 0) {
        self.sweep_.reset(source);
    }
}

int Scope::sweep(sd_event_source*, void* self) noexcept {
    static_cast<Scope*>(self)->free_finished();
    return 0;
}

void Scope::free_finished() {
    sweep_.reset();
    for (auto node = nodes_.begin(); node != nodes_.end();) {
        if (node->done) {
            report(node->name, node->task);
            node = nodes_.erase(node);
        } else {
            ++node;
        }
    }
    if (running_ == 0 && on_empty_) {
        on_empty_();
    }
}

void Scope::cancel() noexcept {
    closing_ = true;
    while (!nodes_.empty()) {
        if (nodes_.front().done) {
            report(nodes_.front().name, nodes_.front().task);
        } else {
            --running_;
        }
        nodes_.pop_front();
    }
    sweep_.reset();
    closing_ = closed_;
}

void Scope::close() noexcept {
    closed_ = true;
    cancel();
}

} // namespace vireo
