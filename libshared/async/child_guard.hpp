// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/process.hpp"

#include <optional>

namespace vireo {

/// Kills a child and reaps it from the loop, unless released: what a cancelled wait leaves behind.
class ChildGuard {
  public:
    ChildGuard(Loop& loop, Process process) : loop_(loop), process_(std::move(process)) {}

    ChildGuard(const ChildGuard&) = delete;
    ChildGuard& operator=(const ChildGuard&) = delete;
    ~ChildGuard();

    Process& process() { return *process_; }

    Process release();

  private:
    Loop& loop_;
    std::optional<Process> process_;
};

} // namespace vireo
