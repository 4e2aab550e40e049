// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/sockets.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"

#include <systemd/sd-daemon.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace vireo {

namespace {

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw Error(
            ErrorCode::invalid_arg,
            "socket path '{}' has {} bytes, at most {} are possible: choose a shorter folder",
            path,
            path.size(),
            sizeof address.sun_path - 1);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Fd new_socket() {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    check_errno(fd.get(), "create a socket");
    return fd;
}

/// A lock of the open file description (fcntl(2)): held until that is closed, and asked about
/// without taking it, so that asking never keeps a daemon from starting.
flock whole_file() noexcept {
    flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

} // namespace

Fd listen_unix(const std::string& path) {
    const sockaddr_un address = address_of(path);
    Fd fd = new_socket();
    ::unlink(path.c_str());
    const mode_t mask = ::umask(0177); // the socket's mode is fixed by bind(2)
    const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int failure = errno;
    ::umask(mask);
    check(bound < 0 ? -failure : 0, fmt::format("bind socket '{}'", path));
    check_errno(::listen(fd.get(), SOMAXCONN), fmt::format("listen on '{}'", path));
    return fd;
}

namespace {

/// Names of sockets that are no files: unix(7), "abstract".
constexpr std::string_view driver_prefix{"\0vireo-driver/", 14};

void name_as_driver(int fd) {
    static unsigned count = 0;
    const std::string name = fmt::format("{}{}/{}", driver_prefix, ::getpid(), count++);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    check_errno(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), "name a socket");
}

Fd connect_socket(Fd fd, const std::string& path) {
    const sockaddr_un address = address_of(path);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED) {
            return Fd();
        }
        if (errno == EAGAIN) {
            throw Error(ErrorCode::resource_busy,
                        "who listens on '{}' does not accept the connections that wait already",
                        path);
        }
        check(-errno, fmt::format("connect to '{}'", path));
    }
    return fd;
}

} // namespace

Fd connect_unix(const std::string& path) {
    return connect_socket(new_socket(), path);
}

Fd connect_unix_as_driver(const std::string& path) {
    Fd fd = new_socket();
    name_as_driver(fd.get());
    return connect_socket(std::move(fd), path);
}

bool is_from_driver(int connection) noexcept {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (::getpeername(connection, reinterpret_cast<sockaddr*>(&address), &size) < 0 ||
        size <= offsetof(sockaddr_un, sun_path)) {
        return false;
    }
    return std::string_view(address.sun_path, size - offsetof(sockaddr_un, sun_path))
        .starts_with(driver_prefix);
}

Fd take_listening_socket(const std::string& name, const std::string& path) {
    char** names = nullptr;
    const int count = check(sd_listen_fds_with_names(1, &names), "take the passed sockets");
    Fd taken;
    for (int i = 0; i < count; ++i) {
        Fd passed(SD_LISTEN_FDS_START + i);
        if (!taken && name == names[i] &&
            sd_is_socket_unix(passed.get(), SOCK_STREAM, 1, nullptr, 0) > 0) {
            taken = std::move(passed);
            const int flags = ::fcntl(taken.get(), F_GETFL); // accept(2) must not wait
            ::fcntl(taken.get(), F_SETFL, flags | O_NONBLOCK);
        } else {
            log::warning("closing passed descriptor '{}': a listening socket '{}' is expected",
                         names[i],
                         name);
        }
    }
    for (int i = 0; i < count; ++i) {
        std::free(names[i]);
    }
    std::free(names);
    return taken ? std::move(taken) : listen_unix(path);
}

Fd lock_instance(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    check_errno(fd.get(), fmt::format("open '{}'", path));
    flock lock = whole_file();
    // Not an open file's lock: a child that has not reached its exec when this process is killed
    // would go on holding that one.
    if (::fcntl(fd.get(), F_SETLK, &lock) < 0) {
        check(errno == EAGAIN || errno == EACCES ? 0 : -errno, fmt::format("lock '{}'", path));
        char pid[16] = {};
        [[maybe_unused]] const auto size = ::read(fd.get(), pid, sizeof pid - 1);
        pid[std::strcspn(pid, "\n")] = '\0';
        throw Error(ErrorCode::operation_invalid,
                    "'{}' is locked: process {} serves these folders",
                    path,
                    pid);
    }
    const std::string pid = fmt::format("{}\n", getpid());
    check_errno(::ftruncate(fd.get(), 0), fmt::format("write '{}'", path));
    check_errno(static_cast<int>(::pwrite(fd.get(), pid.data(), pid.size(), 0)),
                fmt::format("write '{}'", path));
    return fd;
}

bool instance_runs(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    flock lock = whole_file();
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

} // namespace vireo
