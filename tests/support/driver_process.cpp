// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/driver_process.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/files.hpp"
#include "tests/support/loop_driver.hpp"
#include "tests/support/paths.hpp"

#include <unistd.h>

#include <csignal>

namespace vireo::test {

DriverProcess::DriverProcess(const std::string& driver,
                             const std::filesystem::path& root,
                             std::vector<std::string> environment,
                             std::vector<std::string> options) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr); // sd-event asks for it
    make_folders(root / "run");
    socket_path_ = root / "run" / (driver + ".sock");
    const Fd socket = listen_unix(socket_path_);
    for (char** variable = environ; *variable != nullptr; ++variable) {
        environment.emplace_back(*variable);
    }
    environment.emplace_back("LISTEN_FDS=1");
    environment.emplace_back("LISTEN_FDNAMES=" + driver + ".sock");
    ProcessSpec spec;
    spec.program = build_dir() / "daemons" / ("vireo-" + driver);
    spec.arguments = {"--root", root};
    spec.arguments.insert(spec.arguments.end(), options.begin(), options.end());
    spec.environment = std::move(environment);
    spec.descriptors.push_back({.fd = socket.get(), .number = 3});
    spec.listen_pid = true;
    process_ = finish(loop_, spawn(loop_, std::move(spec)));
}

DriverProcess::~DriverProcess() {
    if (process_) {
        end(SIGKILL);
    }
}

std::string DriverProcess::address() const {
    return "unix:path=" + socket_path_;
}

Client DriverProcess::connect() const {
    return Client(address(), Client::Kind::peer);
}

vireo::ExitStatus DriverProcess::end(int signal) {
    process_->kill(signal);
    return wait();
}

vireo::ExitStatus DriverProcess::wait() {
    const vireo::ExitStatus status = finish(loop_, process_->wait(loop_));
    process_.reset();
    return status;
}

} // namespace vireo::test
