// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "qemu-driver/qmp/lines.hpp"
#include "qemu-driver/qmp/message.hpp"
#include "qemu-driver/qmp/outbox.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace vireo::qemu::qmp {

/// QEMU's refusal of a command (operation_failed): "QEMU refuses 'cont': <description>".
class CommandError : public Error {
  public:
    CommandError(const std::string& command, const Reply& reply);

    /// "GenericError", "CommandNotFound", "DeviceNotFound", ...
    const std::string& error_class() const noexcept { return error_class_; }

    /// QEMU's own words.
    const std::string& description() const noexcept { return description_; }

  private:
    std::string error_class_;
    std::string description_;
};

/// A QMP connection with one QEMU. Commands may be in flight at the same time: QEMU answers them in
/// the order in which they were sent. Replies and events are handed out strictly in the order in
/// which QEMU sent them.
class Client {
  public:
    using Event = qmp::Event;
    using OnEvent = std::function<void(const Event&)>;
    using OnClosed = std::function<void()>;

    /// Takes over a connected UNIX socket. From the loop, `on_event` is called for each event, and
    /// `on_closed` once, when QEMU is gone (end of the stream, read error, protocol violation),
    /// after what QEMU had sent before has been handed out and every pending command has failed.
    /// Either may be empty; both, and what waits for a command, may destroy the client; an
    /// exception that leaves them is logged. `peer` names QEMU in messages, e.g. "QEMU of 'web'".
    Client(Loop& loop, Fd socket, OnEvent on_event, OnClosed on_closed, std::string peer = "QEMU");
    /// Fails the pending commands, from the loop. `on_closed` is not called then.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Waits for the greeting and leaves negotiation mode. The first command, once, alone until it
    /// has been sent; others may be sent before it is answered. Errors as execute().
    Task<void> negotiate();

    /// Gives the value of "return". Throws CommandError when QEMU refuses, operation_failed when
    /// the connection ends or has ended, invalid_arg when a string is not UTF-8. Sent when it is
    /// first awaited. A cancelled one is not undone in QEMU; its reply is dropped when it comes.
    /// There is no limit of time: see Deadline.
    Task<nlohmann::json> execute(std::string command, nlohmann::json arguments = nullptr);
    /// The same with a descriptor for QEMU (`getfd`, `add-fd`).
    Task<nlohmann::json> execute_with_fd(std::string command, nlohmann::json arguments, Fd fd);

    /// No command is taken any more. What came before the end may still be handed out, and
    /// `on_closed` called.
    bool closed() const noexcept { return !end_.empty(); }

    /// Why it is closed, e.g. "QEMU closed its monitor"; empty where it is not.
    const std::string& end_reason() const noexcept { return end_; }

    /// From the greeting: zero before negotiate() has returned.
    const Version& version() const noexcept { return version_; }

  private:
    class Waiter;

    struct Handlers {
        OnEvent on_event;
        OnClosed on_closed;
    };

    static int ready(sd_event_source*, int fd, uint32_t events, void* self) noexcept;
    static int continued(sd_event_source*, void* self) noexcept;

    Task<Reply> exchange(std::string command, std::string text, Fd fd, bool tagged);
    void receive() noexcept;
    void flush() noexcept;
    void end(std::string reason) noexcept;
    void step() noexcept;
    void take_line() noexcept;
    void take_greeting(Greeting greeting);
    void take_event(const Event& event) noexcept;
    void take_reply(Reply reply);
    void fail_next() noexcept;
    void tell_end() noexcept;
    void continue_later() noexcept;
    void forget(const Waiter* waiter) noexcept;

    Loop& loop_;
    Fd socket_;
    // Shared with a running call, so that the call may destroy the client.
    std::shared_ptr<const Handlers> handlers_;
    std::string peer_;
    std::string end_;
    Version version_;
    bool greeted_ = false;
    bool told_ = false;
    Lines input_;
    Outbox output_;
    std::deque<Waiter*> pending_; // one per command in flight; null where the waiter was cancelled
    Source io_;
    Source more_; // runs while lines, or failures of pending commands, are left to hand out
};

} // namespace vireo::qemu::qmp
