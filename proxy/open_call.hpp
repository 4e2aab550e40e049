// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "libshared/error.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vireo::proxy {

/// A client's call on its way to a driver and back. It is answered or fails once.
class OpenCall {
  public:
    /// `again`: a call that only reads, which may go to the driver's successor where the driver
    /// ended before it answered.
    OpenCall(bus::Message request, bool again) : request_(std::move(request)), again_(again) {}

    OpenCall(const OpenCall&) = delete;
    OpenCall& operator=(const OpenCall&) = delete;
    virtual ~OpenCall() = default;

    /// As it came from the client.
    sd_bus_message* request() const noexcept { return request_.get(); }

    /// Whether the call may be sent once more; true at most once.
    bool take_second_try() noexcept { return std::exchange(again_, false); }

    /// The driver's reply or error. `same_serial` says that it carries the serial number of the
    /// client's own call.
    virtual void answered(sd_bus_message* answer, bool same_serial) = 0;
    /// There will be no answer.
    virtual void failed(const Error& why) = 0;

  private:
    bus::Message request_;
    bool again_;
};

/// Answers the caller with `why`: under org.vireo its native name, else org.libvirt.Error.
void answer_failure(sd_bus_message* call, const Error& why) noexcept;

/// A call whose answer is the driver's.
class ForwardedCall final : public OpenCall {
  public:
    using OpenCall::OpenCall;
    void answered(sd_bus_message* answer, bool same_serial) override;
    void failed(const Error& why) override;
};

/// A call that several drivers answer with a part of one array. The first error is the answer.
class MergedCall {
  public:
    /// `element` is the type of the array's elements, such as `{sv}`.
    MergedCall(bus::Message request, std::string element)
        : request_(std::move(request)), element_(std::move(element)) {}

    /// One open call for each of `count` drivers; with none the empty array is the answer at once.
    static std::vector<std::unique_ptr<OpenCall>>
    split(bus::Message request, bool again, std::string element, std::size_t count);

  private:
    class Part;
    void settle();

    bus::Message request_;
    std::string element_;
    std::vector<bus::Message> answers_;
    std::size_t missing_ = 0;
};

} // namespace vireo::proxy
