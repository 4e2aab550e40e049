// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/fd.hpp"

#include <functional>
#include <string>

namespace vireo::storage {

/// Is told by the kernel when tasks of the host have waited for memory: a trigger on
/// /proc/pressure/memory, without polling.
/// Source: the kernel's Documentation/accounting/psi.rst, "Monitoring for pressure thresholds".
class PressureWatch {
  public:
    /// `prefix` is empty on a real host. In a tree made by a test the file is a FIFO, and what is
    /// written into it is the kernel's word. `stalled` is called from the loop, once for all that
    /// came. `lost` is told why nothing will come any more.
    /// Throws operation_unsupported where the kernel has no such file or takes no trigger,
    /// access_denied where this user may not set one.
    PressureWatch(Loop& loop,
                  const std::string& prefix,
                  std::function<void()> stalled,
                  std::function<void(std::string why)> lost);
    PressureWatch(const PressureWatch&) = delete;
    PressureWatch& operator=(const PressureWatch&) = delete;

  private:
    static int on_event(sd_event_source* source, int fd, uint32_t events, void* self) noexcept;

    std::function<void()> stalled_;
    std::function<void(std::string)> lost_;
    bool made_up_;
    Fd fd_;
    Source source_;
};

} // namespace vireo::storage
