// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/driver_caller.hpp"

#include <optional>

namespace vireo {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds answer_limit = 30s;
// A driver that leaves just when a connection comes closes it unserved; a new one meets its
// successor.
constexpr unsigned most_attempts = 3;

} // namespace

DriverCaller::DriverCaller(Loop& loop, DriverPlaces places)
    : loop_(loop),
      tasks_(loop),
      starter_(loop,
               tasks_,
               std::move(places),
               {.failed = [this](const Error& why) { problem_ = why.what(); },
                .crashed = [](const ExitStatus&) {}}),
      retired_(loop),
      self_(std::make_shared<DriverCaller*>(this)) {}

DriverCaller::~DriverCaller() {
    *self_ = nullptr;
}

DriverCaller::Connection::~Connection() {
    if (*owner_ != nullptr) {
        (*owner_)->retired_.add(std::move(bus_));
    }
}

DriverCaller::ConnectionPtr DriverCaller::open() {
    return std::make_shared<Connection>(self_, open_peer(loop_, starter_.reach()).bus);
}

Task<DriverCaller::ConnectionPtr> DriverCaller::connect() {
    std::optional<Error> failure;
    for (unsigned attempt = 0; attempt < most_attempts; ++attempt) {
        failure.reset();
        problem_.clear();
        try {
            ConnectionPtr connection = open();
            co_await driver_call(
                connection, answer_limit, "/", "org.freedesktop.DBus.Peer", "Ping");
            starter_.served();
            co_return std::move(connection);
        } catch (const Error& e) {
            failure = e;
        }
        if (failure->code() == ErrorCode::operation_timeout) {
            throw Error(ErrorCode::operation_timeout,
                        "{} did not answer within {} s of being asked",
                        starter_.places().daemon,
                        std::chrono::duration_cast<std::chrono::seconds>(answer_limit).count());
        }
    }
    throw Error(ErrorCode::operation_failed,
                "{} cannot be reached: {}",
                starter_.places().daemon,
                problem_.empty() ? failure->what() : problem_);
}

} // namespace vireo
