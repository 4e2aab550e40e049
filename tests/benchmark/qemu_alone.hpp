// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"
#include "tests/support/qmp_child.hpp"
#include "tests/support/temporary_folder.hpp"

#include <string>
#include <vector>

namespace vireo::benchmark {

/// The words that the process was started with. Source: proc(5), /proc/PID/cmdline.
std::vector<std::string> words_of(pid_t pid);

/// QEMU without anybody between it and us: the limit of what a manager can reach.
class QemuAlone {
  public:
    /// Starts a QEMU with the words of one that `vireo-qemud` started, its monitor a listening
    /// socket of ours, and returns once it has answered its first command.
    explicit QemuAlone(std::vector<std::string> words);

    /// Tells it to quit and waits for its end.
    void quit();

  private:
    test::TemporaryFolder folder_;
    Fd listening_;
    test::QmpChild child_;
};

} // namespace vireo::benchmark
