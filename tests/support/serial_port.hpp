// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/sockets.hpp"
#include "libshared/fd.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace vireo::test {

/// The other end of a guest's serial port on a UNIX socket.
class SerialPort {
  public:
    explicit SerialPort(const std::string& path) : fd_(connect_unix(path)) {
        if (!fd_) {
            throw std::runtime_error("nobody listens at " + path);
        }
    }

    /// Takes what the guest writes until it has written `wanted`.
    void await(char wanted, std::chrono::milliseconds limit) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        for (char got = 0; got != wanted;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            pollfd waiting{fd_.get(), POLLIN, 0};
            if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
                throw std::runtime_error("the guest's serial port is silent");
            }
            if (::read(fd_.get(), &got, 1) != 1) {
                throw std::runtime_error("the guest's serial port is closed");
            }
        }
    }

    void write(char c) const {
        if (::write(fd_.get(), &c, 1) != 1) {
            throw std::runtime_error("write to the guest's serial port");
        }
    }

  private:
    Fd fd_;
};

} // namespace vireo::test
