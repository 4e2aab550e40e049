// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/qmp/client.hpp"

#include "libshared/log.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace vireo::qemu::qmp {

using nlohmann::json;

namespace {

/// `query-named-block-nodes` of a guest with long backing chains is the longest known.
constexpr std::size_t longest_line = std::size_t{64} << 20;

json result_of(const std::string& command, Reply reply) {
    if (reply.failed) {
        throw CommandError(command, reply);
    }
    return std::move(reply.result);
}

} // namespace

/// Waits for one reply. Lives in the frame of exchange(), registered in the client or, once that is
/// gone or the reply has come, no longer.
class Client::Waiter {
  public:
    Waiter(Client& client, bool tagged) : client_(&client), tagged_(tagged) {
        client.pending_.push_back(this);
    }

    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    ~Waiter() {
        if (client_ != nullptr) {
            client_->forget(this);
        }
    }

    bool await_ready() const noexcept { return false; }

    void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }

    /// Nothing where the connection has ended: end_reason().
    std::optional<Reply> await_resume() noexcept { return std::move(reply_); }

    const std::string& end_reason() const noexcept { return end_reason_; }

    bool tagged() const noexcept { return tagged_; }

    /// The last act of the caller: runs foreign code, which may destroy the client.
    void resume(Reply reply) noexcept {
        client_ = nullptr;
        reply_ = std::move(reply);
        waiter_.resume();
    }

    /// The same where no reply comes any more.
    void fail(const std::string& reason) noexcept {
        client_ = nullptr;
        end_reason_ = reason;
        waiter_.resume();
    }

    /// The client is being destroyed.
    void abandon(Loop& loop) noexcept {
        client_ = nullptr;
        end_reason_ = "its monitor was closed";
        wakeup_.post(loop, waiter_);
    }

  private:
    Client* client_;
    bool tagged_;
    std::optional<Reply> reply_;
    std::string end_reason_;
    std::coroutine_handle<> waiter_;
    Wakeup wakeup_;
};

CommandError::CommandError(const std::string& command, const Reply& reply)
    : Error(ErrorCode::operation_failed, "QEMU refuses '{}': {}", command, reply.description),
      error_class_(reply.error_class),
      description_(reply.description) {}

Client::Client(Loop& loop, Fd socket, OnEvent on_event, OnClosed on_closed, std::string peer)
    : loop_(loop),
      socket_(std::move(socket)),
      handlers_(std::make_shared<Handlers>(Handlers{std::move(on_event), std::move(on_closed)})),
      peer_(std::move(peer)),
      input_(longest_line) {
    sd_event_source* source = nullptr;
    check(sd_event_add_io(loop.get(), &source, socket_.get(), EPOLLIN, &ready, this),
          "watch a QMP connection");
    io_.reset(source);
    check(sd_event_add_defer(loop.get(), &source, &continued, this), "add a source");
    more_.reset(source);
    check(sd_event_source_set_enabled(source, SD_EVENT_OFF), "disable a source");
}

Client::~Client() {
    for (Waiter* waiter : pending_) {
        if (waiter != nullptr) {
            waiter->abandon(loop_);
        }
    }
}

Task<void> Client::negotiate() {
    // The only tagged command. A reply to what another client, gone meanwhile, had asked may still
    // come after the greeting; it is told apart by the missing tag. QEMU runs in-band commands one
    // at a time, so that after this reply no stale one can come any more.
    std::string command = "qmp_capabilities";
    std::string text = format_command(command, nullptr, true);
    auto exchanging = exchange(command, std::move(text), Fd(), true);
    Reply reply = co_await std::move(exchanging);
    result_of(command, std::move(reply));
}

Task<json> Client::execute(std::string command, json arguments) {
    return execute_with_fd(std::move(command), std::move(arguments), Fd());
}

Task<json> Client::execute_with_fd(std::string command, json arguments, Fd fd) {
    std::string text = format_command(command, arguments);
    auto exchanging = exchange(command, std::move(text), std::move(fd), false);
    Reply reply = co_await std::move(exchanging);
    co_return result_of(command, std::move(reply));
}

Task<Reply> Client::exchange(std::string command, std::string text, Fd fd, bool tagged) {
    if (closed()) {
        throw Error(ErrorCode::operation_failed, "cannot send '{}': {}", command, end_);
    }
    Waiter waiter(*this, tagged);
    output_.add(std::move(text), std::move(fd));
    flush();
    std::optional<Reply> reply = co_await waiter; // *this may be gone now
    if (!reply) {
        throw Error(
            ErrorCode::operation_failed, "no answer to '{}': {}", command, waiter.end_reason());
    }
    co_return std::move(*reply);
}

int Client::ready(sd_event_source*, int, uint32_t events, void* context) noexcept {
    auto* self = static_cast<Client*>(context);
    if ((events & EPOLLOUT) != 0) {
        self->flush();
    }
    if ((events & ~uint32_t{EPOLLOUT}) != 0) {
        // What is left over comes first: a peer that floods us waits in its socket.
        if (!self->input_.complete()) {
            self->receive();
        }
        self->step();
    }
    return 0; // *self may be gone
}

int Client::continued(sd_event_source*, void* context) noexcept {
    static_cast<Client*>(context)->step();
    return 0; // *context may be gone
}

void Client::receive() noexcept {
    char bytes[65536];
    const ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (size > 0) {
        if (!input_.add({bytes, static_cast<std::size_t>(size)})) {
            end(fmt::format("{} sent a line of more than {} bytes", peer_, longest_line));
        }
    } else if (size == 0 || errno == ECONNRESET) {
        end(fmt::format("{} closed its monitor", peer_));
    } else if (errno != EAGAIN && errno != EINTR) {
        end(fmt::format("cannot read the monitor of {}: {}", peer_, std::strerror(errno)));
    }
}

void Client::flush() noexcept {
    const int result = output_.flush(socket_.get());
    if (result < 0) {
        // QEMU may have said why before it went: that is read first, then the end is seen there.
        output_.clear();
        ::shutdown(socket_.get(), SHUT_RDWR);
    }
    const uint32_t wanted = output_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    sd_event_source_set_io_events(io_.get(), wanted); // no system call where nothing changes
}

void Client::end(std::string reason) noexcept {
    end_ = std::move(reason);
    io_.reset();
    socket_.reset();
    output_.clear();
    continue_later();
}

/// One line, or one failure, per call: each may run foreign code, and that is the last act.
void Client::step() noexcept {
    if (input_.complete()) {
        take_line();
    } else if (closed() && !pending_.empty()) {
        fail_next();
    } else if (closed()) {
        tell_end();
    }
}

void Client::tell_end() noexcept {
    const auto handlers = handlers_;
    if (std::exchange(told_, true) || !handlers->on_closed) {
        return;
    }
    try {
        handlers->on_closed();
    } catch (const std::exception& e) {
        log::error("the end of a QMP connection was not handled: {}", e.what());
    }
}

void Client::take_line() noexcept {
    const std::string_view line = input_.take();
    if (input_.complete() || closed()) {
        continue_later();
    }
    try {
        Message message = parse_message(line);
        input_.trim();
        if (auto* greeting = std::get_if<Greeting>(&message)) {
            return take_greeting(std::move(*greeting));
        }
        if (!greeted_) {
            throw Error(ErrorCode::parse_failed, "no greeting");
        }
        if (auto* event = std::get_if<Event>(&message)) {
            return take_event(*event);
        }
        return take_reply(std::move(std::get<Reply>(message)));
    } catch (const Error& e) {
        input_.clear();
        end(fmt::format("{} does not speak QMP: {}", peer_, e.what()));
        log::warning("{}", end_);
    }
}

void Client::take_greeting(Greeting greeting) {
    if (greeted_) {
        throw Error(ErrorCode::parse_failed, "a second greeting");
    }
    greeted_ = true;
    version_ = std::move(greeting.version);
}

void Client::take_event(const Event& event) noexcept {
    const auto handlers = handlers_;
    if (!handlers->on_event) {
        return;
    }
    try {
        handlers->on_event(event);
    } catch (const std::exception& e) {
        log::error("event {} was not handled: {}", event.name, e.what());
    }
}

void Client::take_reply(Reply reply) {
    if (pending_.empty()) {
        log::warning("{} answered what nobody asked; dropped", peer_);
        return;
    }
    Waiter* waiter = pending_.front();
    if (waiter != nullptr && waiter->tagged() && !reply.tagged) {
        log::info("{} answered an earlier client; dropped", peer_);
        return;
    }
    pending_.pop_front();
    if (waiter != nullptr) {
        waiter->resume(std::move(reply));
    }
}

void Client::fail_next() noexcept {
    Waiter* waiter = pending_.front();
    pending_.pop_front();
    continue_later();
    if (waiter != nullptr) {
        waiter->fail(end_);
    }
}

void Client::continue_later() noexcept {
    sd_event_source_set_enabled(more_.get(), SD_EVENT_ONESHOT);
}

void Client::forget(const Waiter* waiter) noexcept {
    // The place stays: the reply still comes.
    std::ranges::replace(pending_, const_cast<Waiter*>(waiter), static_cast<Waiter*>(nullptr));
}

} // namespace vireo::qemu::qmp
