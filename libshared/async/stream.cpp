// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/stream.hpp"

#include "libshared/error.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

namespace vireo {

Pipe make_pipe() {
    int ends[2];
    check_errno(pipe2(ends, O_CLOEXEC | O_NONBLOCK), "create a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Task<std::string> read_some(Loop& loop, int fd, std::size_t most) {
    std::string data(most, '\0');
    while (true) {
        const ssize_t size = ::read(fd, data.data(), most);
        if (size >= 0) {
            data.resize(static_cast<std::size_t>(size));
            co_return data;
        }
        if (errno == EAGAIN) {
            co_await Ready(loop, fd, EPOLLIN);
        } else if (errno != EINTR) {
            check(-errno, "read");
        }
    }
}

Task<std::string> read_to_end(Loop& loop, int fd, std::size_t most) {
    std::string all;
    while (true) {
        const std::string part = co_await read_some(loop, fd, 65536);
        if (part.empty()) {
            co_return all;
        }
        if (all.size() + part.size() > most) {
            throw Error(ErrorCode::read_failed, "more than {} bytes", most);
        }
        all += part;
    }
}

Task<void> write_all(Loop& loop, int fd, std::string data) {
    std::size_t written = 0;
    while (written < data.size()) {
        const ssize_t size = ::write(fd, data.data() + written, data.size() - written);
        if (size >= 0) {
            written += static_cast<std::size_t>(size);
        } else if (errno == EAGAIN) {
            co_await Ready(loop, fd, EPOLLOUT);
        } else if (errno != EINTR) {
            check(-errno, "write");
        }
    }
}

} // namespace vireo
