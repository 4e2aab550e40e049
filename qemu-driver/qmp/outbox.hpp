// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <cstddef>
#include <deque>
#include <string>

namespace vireo::qemu::qmp {

/// What is still to be sent on a UNIX socket, in order. Never blocks, never raises SIGPIPE.
class Outbox {
  public:
    /// `descriptor`, where there is one, goes with the first byte of `text` (SCM_RIGHTS) and is
    /// closed here then.
    void add(std::string text, Fd descriptor);
    /// Sends what the socket takes; gives 0, or the negative errno of what failed.
    int flush(int socket) noexcept;

    bool empty() const noexcept { return queue_.empty(); }

    void clear() noexcept { queue_.clear(); }

  private:
    struct Item {
        std::string text;
        Fd descriptor;
        std::size_t sent = 0;
    };

    std::deque<Item> queue_;
};

} // namespace vireo::qemu::qmp
