// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/host_tree.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace vireo::test {

namespace fs = std::filesystem;

fs::path HostTree::at(std::string_view path) const {
    return root() / fs::path(path).relative_path();
}

void HostTree::write(std::string_view path, std::string_view contents) {
    const fs::path file = at(path);
    fs::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << contents;
    out.close();
    if (!out) {
        throw std::system_error(errno, std::generic_category(), "write " + file.string());
    }
}

void HostTree::link(std::string_view path, std::string_view target) {
    const fs::path link = at(path);
    fs::create_directories(link.parent_path());
    fs::create_directories(at(target));
    fs::create_symlink(at(target), link);
}

void HostTree::remove(std::string_view path) {
    fs::remove_all(at(path));
}

void HostTree::device(std::string_view path,
                      std::string_view subsystem,
                      const std::map<std::string, std::string>& attributes) {
    const std::string device(path);
    const std::string folder = "/sys/" + std::string(subsystem);
    const std::string name = device.substr(device.rfind('/') + 1);
    for (const auto& [attribute, value] : attributes) {
        write(device + "/" + attribute, value);
    }
    link(device + "/subsystem", folder);
    const bool on_bus = subsystem.starts_with("bus/");
    link(folder + (on_bus ? "/devices/" : "/") + name, device);
}

void HostTree::send_uevent(std::string_view action, std::string_view path) const {
    std::string message =
        std::string(action) + "@" + std::string(path.substr(std::string_view("/sys").size()));
    message += '\0';
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string socket = at("/uevents");
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const ssize_t sent = ::sendto(fd,
                                  message.data(),
                                  message.size(),
                                  0,
                                  reinterpret_cast<const sockaddr*>(&address),
                                  sizeof address);
    const int error = errno;
    ::close(fd);
    if (sent < 0) {
        throw std::system_error(error, std::generic_category(), "send to " + socket);
    }
}

} // namespace vireo::test
