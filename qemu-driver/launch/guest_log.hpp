// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace vireo::qemu {

/// A guest's log, `NAME.log`: the command line of each start and all that QEMU prints.
class GuestLog {
  public:
    /// Opens it for appending and remembers where this start begins. `folder` is created.
    GuestLog(const std::string& folder, const std::string& name);

    int fd() const noexcept { return fd_.get(); }

    const std::string& path() const noexcept { return path_; }

    /// Time, program and arguments, quoted for a shell.
    void write_start(const std::vector<std::string>& argv);
    /// What QEMU has printed since write_start, at most the last `most` bytes.
    std::string last_words(std::size_t most = 1024) const;

  private:
    std::string path_;
    Fd fd_;
    off_t start_ = 0;
};

} // namespace vireo::qemu
