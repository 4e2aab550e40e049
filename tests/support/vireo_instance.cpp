// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a command beside a message bus of its own on which the daemons start on demand, and ends
// whatever was started meanwhile. `./run` is this program; the integration tests keep one running
// (--hold) for each instance that they test.
#include "libshared/error.hpp"
#include "tests/support/child.hpp"
#include "tests/support/descendants.hpp"
#include "tests/support/private_bus.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

namespace {

using namespace std::chrono_literals;
using namespace vireo::test;
using vireo::check_errno;
using vireo::Error;
using vireo::ErrorCode;
using vireo::Fd;

constexpr const char* usage =
    R"(usage: vireo-instance --daemons DIR [--root DIR] [--hold | -- COMMAND...]
  --daemons DIR  where vireo-proxyd and the other daemons are
  --root DIR     keep the daemons' state there, and what they print in DIR/daemons.log
                 (default: a temporary folder)
  --hold         no command: print the bus address, the root and the log's path, end when standard
                 input does, then print the log
The command finds the bus in DBUS_SESSION_BUS_ADDRESS and DBUS_SYSTEM_BUS_ADDRESS, the root in
VIREO_ROOT and the path of what the daemons print in VIREO_LOG.
)";

/// What a command and its daemons get to end by themselves.
constexpr auto grace = 5s;

int milliseconds(std::chrono::milliseconds duration) {
    return static_cast<int>(duration.count());
}

struct Options {
    std::filesystem::path daemons;
    std::filesystem::path root;
    bool hold = false;
    std::vector<std::string> command;
};

Options parse(int argc, char** argv) {
    Options options;
    const option known[] = {{"daemons", required_argument, nullptr, 'd'},
                            {"root", required_argument, nullptr, 'r'},
                            {"hold", no_argument, nullptr, 'h'},
                            {nullptr, 0, nullptr, 0}};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "+", known, nullptr)) != -1) {
        if (letter == 'd') {
            options.daemons = std::filesystem::absolute(optarg);
        } else if (letter == 'r') {
            options.root = std::filesystem::absolute(optarg);
        } else if (letter == 'h') {
            options.hold = true;
        } else {
            throw Error(ErrorCode::invalid_arg, "unknown option\n{}", usage);
        }
    }
    options.command.assign(argv + optind, argv + argc);
    if (options.daemons.empty() || options.hold != options.command.empty()) {
        throw Error(ErrorCode::invalid_arg, "an option is missing or too many\n{}", usage);
    }
    return options;
}

Fd block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        sigaddset(&signals, signal);
    }
    check_errno(sigprocmask(SIG_BLOCK, &signals, nullptr), "block signals");
    return Fd(check_errno(signalfd(-1, &signals, SFD_CLOEXEC), "create a signalfd"));
}

/// Keeps a second instance away from the same state.
Fd lock_root(const std::filesystem::path& root) {
    std::filesystem::create_directories(root);
    Fd folder(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    check_errno(folder.get(), fmt::format("open '{}'", root.string()));
    if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
        throw Error(ErrorCode::resource_busy,
                    "another instance keeps its state in '{}': end it, or choose another folder",
                    root.string());
    }
    return folder;
}

/// Waits for the end of the one child that counts and reaps every orphan meanwhile.
class Watch {
  public:
    Watch(const Fd& signals, pid_t command) : signals_(signals), command_(command) {}

    /// The command's exit status; 128 + the signal that ended this program before it.
    int run() {
        while (!status_) {
            pollfd watched{.fd = signals_.get(), .events = POLLIN, .revents = 0};
            const int ready = poll(&watched, 1, asked_to_end_ ? milliseconds(grace) : -1);
            if (ready == 0) {
                return 128 + *asked_to_end_;
            }
            take_signal();
        }
        return *status_;
    }

  private:
    void take_signal() {
        signalfd_siginfo info{};
        if (read(signals_.get(), &info, sizeof info) != sizeof info) {
            return;
        }
        const int signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGCHLD) {
            reap();
        } else if (info.ssi_code == SI_KERNEL && signal != SIGHUP) {
            // From the terminal: the command has it too, and may have a use of its own for it.
        } else {
            asked_to_end_ = signal;
            kill(command_, signal);
        }
    }

    void reap() {
        int status = 0;
        for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid == command_) {
                status_ = shell_status(status);
            }
        }
    }

    const Fd& signals_;
    pid_t command_;
    std::optional<int> status_;
    std::optional<int> asked_to_end_;
};

/// Serves a test until that closes our standard input, in a session of our own: what ends the
/// test's process group must not keep us from cleaning up behind it.
void hold(const Fd& signals) {
    while (true) {
        pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                            {.fd = signals.get(), .events = POLLIN, .revents = 0}};
        poll(watched, std::size(watched), -1);
        if (watched[0].revents != 0) {
            return;
        }
        signalfd_siginfo info{};
        if (read(signals.get(), &info, sizeof info) == sizeof info && info.ssi_signo != SIGCHLD) {
            return;
        }
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}

int run_beside(const PrivateBus& bus, const BusPlaces& places, const Options& options) {
    const Fd signals = block_signals();

    // Last to be made, first to go: nothing runs any more when the bus and the folder go.
    const struct End {
        ~End() { end_descendants(grace); }
    } end;

    if (options.hold) {
        setsid();
        std::printf("%s\n%s\n%s\n", bus.address().c_str(), places.root.c_str(), places.log.c_str());
        std::fflush(stdout);
        hold(signals);
        return 0;
    }
    const Child child({.words = options.command,
                       .environment = {"DBUS_SESSION_BUS_ADDRESS=" + bus.address(),
                                       "DBUS_SYSTEM_BUS_ADDRESS=" + bus.address(),
                                       "VIREO_ROOT=" + places.root.string(),
                                       "VIREO_LOG=" + places.log.string()}});
    return Watch(signals, child.pid()).run();
}

int run(const Options& options) {
    adopt_orphans();
    const TemporaryFolder folder;
    BusPlaces places{.folder = folder.path(),
                     .daemons = options.daemons,
                     .root = folder.path() / "root",
                     .log = folder.path() / "log"};
    if (!options.root.empty()) {
        places.root = options.root;
        places.log = options.root / "daemons.log";
    }
    const Fd lock = lock_root(places.root);
    const PrivateBus bus(places);
    const int status = run_beside(bus, places, options);
    if (options.hold) {
        std::cout << std::ifstream(places.log).rdbuf();
    }
    return status;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(parse(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "vireo-instance: %s\n", error.what());
        return 125;
    }
}
