// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/made_up_kernel.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace vireo::test {

namespace {

const std::string bus = "/sys/bus/pci";
const std::string wake = "/wake";

std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

} // namespace

MadeUpKernel::MadeUpKernel(HostTree& host,
                           const std::vector<std::string>& drivers,
                           std::map<std::string, std::string> fits)
    : host_(host),
      fits_(std::move(fits)),
      inotify_(::inotify_init1(IN_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
    const auto watch = [this](const std::string& folder, const std::string& attribute) {
        host_.write(folder + "/" + attribute, "");
        const int number =
            ::inotify_add_watch(inotify_.get(), host_.at(folder).c_str(), IN_CLOSE_WRITE);
        if (number < 0) {
            throw std::runtime_error("cannot watch " + folder);
        }
        watched_.emplace(number, folder);
    };
    watch(bus, "drivers_probe");
    for (const std::string& driver : drivers) {
        watch(bus + "/drivers/" + driver, "unbind");
    }
    thread_ = std::thread([this] { run(); });
}

MadeUpKernel::~MadeUpKernel() {
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
}

void MadeUpKernel::bind(const std::string& path, const std::string& driver) {
    host_.write(path + "/uevent", "DRIVER=" + driver + "\n");
    host_.link(path + "/driver", bus + "/drivers/" + driver);
}

void MadeUpKernel::go_on() {
    hangs_ = false;
    host_.write(bus + wake, "");
    answered_.acquire();
}

void MadeUpKernel::run() {
    std::vector<std::string> open;
    while (true) {
        std::array<pollfd, 2> fds{pollfd{inotify_.get(), POLLIN, 0},
                                  pollfd{stop_.get(), POLLIN, 0}};
        ::poll(fds.data(), fds.size(), -1);
        if (fds[1].revents != 0) {
            return;
        }
        alignas(inotify_event) std::array<char, 4096> buffer{};
        const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
        for (ssize_t at = 0; at < got;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
            open.push_back(watched_.at(event->wd) + "/" + event->name);
            at += static_cast<ssize_t>(sizeof *event + event->len);
        }
        if (!hangs_) {
            for (const std::string& attribute : open) {
                answer(attribute);
            }
            if (std::find(open.begin(), open.end(), bus + wake) != open.end()) {
                answered_.release();
            }
            open.clear();
        }
    }
}

void MadeUpKernel::answer(const std::string& attribute) {
    const std::string address = contents(host_.at(attribute));
    if (address.empty()) {
        return;
    }
    if (attribute.ends_with("/unbind")) {
        unbind(address);
    } else if (attribute.ends_with("/drivers_probe")) {
        probe(address);
    }
}

std::string MadeUpKernel::function(const std::string& address) const {
    const auto path = std::filesystem::canonical(host_.at(bus + "/devices/" + address));
    return "/" + path.lexically_relative(host_.root()).string();
}

void MadeUpKernel::unbind(const std::string& address) {
    host_.write(function(address) + "/uevent", "");
    host_.remove(function(address) + "/driver");
    tell("unbind", function(address));
}

void MadeUpKernel::tell(const char* action, const std::string& path) {
    try {
        host_.send_uevent(action, path);
    } catch (const std::system_error&) { // nobody listens
    }
}

void MadeUpKernel::probe(const std::string& address) {
    const std::string path = function(address);
    const std::string wanted = contents(host_.at(path + "/driver_override"));
    const std::string driver = wanted.empty() ? fits_[address] : wanted;
    if (!driver.empty() && !std::filesystem::exists(host_.at(path + "/driver"))) {
        bind(path, driver);
        tell("bind", path);
    }
}

} // namespace vireo::test
