// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <chrono>
#include <string>

namespace vireo::test {

/// The shell on the serial console of the guest that tests/support/make_guest.sh makes, where that
/// is a UNIX socket on which QEMU listens.
class GuestConsole {
  public:
    explicit GuestConsole(const std::string& path);

    /// Waits until the guest has written `text`, and gives what came up to its end. Throws
    /// runtime_error with what came where it does not within `limit`.
    std::string await(const std::string& text, std::chrono::milliseconds limit);
    /// Runs a command and gives its output without its line end.
    std::string run(const std::string& command, std::chrono::milliseconds limit);

  private:
    Fd fd_;
    std::string got_;
};

/// Kernel and initrd of that guest, made where they are not there yet.
struct GuestFiles {
    std::string kernel;
    std::string initrd;
};

GuestFiles guest_files();

} // namespace vireo::test
