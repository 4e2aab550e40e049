// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "libshared/fd.hpp"

#include <cstddef>
#include <string>

namespace vireo {

/// Both ends close on exec and do not block.
struct Pipe {
    Fd read;
    Fd write;
};

Pipe make_pipe();

/// Reads what is there, waiting where nothing is: at most `most` bytes; empty at the end of the
/// stream. The descriptor does not block.
Task<std::string> read_some(Loop& loop, int fd, std::size_t most);
/// Reads to the end of the stream; throws read_failed past `most` bytes.
Task<std::string> read_to_end(Loop& loop, int fd, std::size_t most);
/// Writes all of it. The descriptor does not block; SIGPIPE is ignored by every daemon.
Task<void> write_all(Loop& loop, int fd, std::string data);

} // namespace vireo
