// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"
#include "libshared/fd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace vireo::test {

/// What this process prints on its standard error while this lives.
class CapturedErrors {
  public:
    CapturedErrors() : before_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, out_of_the_way)) {
        const Fd made(memfd_create("errors", MFD_CLOEXEC));
        file_.reset(fcntl(made.get(), F_DUPFD_CLOEXEC, out_of_the_way));
        check_errno(dup2(file_.get(), STDERR_FILENO), "redirect standard error");
    }

    CapturedErrors(const CapturedErrors&) = delete;
    CapturedErrors& operator=(const CapturedErrors&) = delete;

    ~CapturedErrors() { dup2(before_.get(), STDERR_FILENO); }

    std::string text() const {
        std::string text(65536, '\0');
        const ssize_t size = pread(file_.get(), text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(check_errno(static_cast<int>(size), "read")));
        return text;
    }

  private:
    static constexpr int out_of_the_way = 100; // of tests that place descriptors themselves
    Fd before_;
    Fd file_;
};

} // namespace vireo::test
