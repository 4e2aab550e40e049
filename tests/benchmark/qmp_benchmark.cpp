// SPDX-License-Identifier: LGPL-2.1-or-later

// How long QEMU takes to its first answer, and how long one command and what is known of a binary
// take: medians.
//
//     ninja -C build tests/benchmark/qmp_benchmark && build/tests/benchmark/qmp_benchmark [QEMU]

#include "libshared/async/child_guard.hpp"
#include "qemu-driver/capabilities/capabilities_cache.hpp"
#include "qemu-driver/capabilities/probe_binary.hpp"
#include "qemu-driver/qmp/client.hpp"
#include "qemu-driver/qmp/monitor_socket.hpp"
#include "tests/support/loop_driver.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace vireo;

namespace {

constexpr int starts = 15;
constexpr int commands = 500;

class Stopwatch {
  public:
    double ms() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin_)
            .count();
    }

  private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void print_median(std::string_view what, std::vector<double> times_ms) {
    const auto middle = times_ms.begin() + static_cast<std::ptrdiff_t>(times_ms.size() / 2);
    std::nth_element(times_ms.begin(), middle, times_ms.end());
    fmt::print("{:<44} {:9.3f} ms\n", what, *middle);
}

ProcessSpec qemu_without_machine(const std::string& binary, const Fd& listener) {
    ProcessSpec spec;
    spec.program = binary;
    spec.arguments = {"-M",
                      "none",
                      "-S",
                      "-display",
                      "none",
                      "-nodefaults",
                      "-chardev",
                      "socket,id=monitor,fd=3,server=on,wait=off",
                      "-mon",
                      "chardev=monitor,mode=control"};
    spec.descriptors.push_back({listener.get(), 3});
    return spec;
}

void measure_start(Loop& loop, const std::string& binary, const std::string& socket) {
    std::vector<double> running;
    std::vector<double> answering;
    std::vector<double> commanding;
    for (int i = 0; i < starts; ++i) {
        const Fd listener = qemu::qmp::listen_on_monitor(socket);
        qemu::qmp::Client client(loop, qemu::qmp::connect_to_monitor(socket), nullptr, nullptr);
        const Stopwatch start;
        auto spawning = spawn(loop, qemu_without_machine(binary, listener));
        ChildGuard qemu(loop, test::finish(loop, std::move(spawning)));
        running.push_back(start.ms());
        test::finish(loop, client.negotiate());
        answering.push_back(start.ms());
        for (int n = 0; n < commands / starts; ++n) {
            const Stopwatch command;
            test::finish(loop, client.execute("query-status"));
            commanding.push_back(command.ms());
        }
    }
    print_median("spawn: QEMU without a machine runs", running);
    print_median("spawn to its first QMP reply", answering);
    print_median("a command (query-status)", commanding);
}

void measure_capabilities(Loop& loop, const std::string& binary, const std::string& folder) {
    std::vector<double> probing;
    for (int i = 0; i < starts / 3; ++i) {
        const Stopwatch probe;
        test::finish(loop, qemu::probe_binary(loop, binary, false));
        probing.push_back(probe.ms());
    }
    print_median("capabilities, probed without KVM", probing);

    qemu::CapabilitiesCache first(loop, folder);
    test::finish(loop, first.get(binary));
    if (!test::run_until(
            loop, [&] { return qemu::CapabilitiesCache(loop, folder).known(binary) != nullptr; })) {
        throw std::runtime_error("the capabilities are not cached");
    }
    std::vector<double> reading;
    std::vector<double> remembering;
    for (int i = 0; i < starts; ++i) {
        qemu::CapabilitiesCache cache(loop, folder);
        const Stopwatch file;
        cache.known(binary);
        reading.push_back(file.ms());
        const Stopwatch memory;
        cache.known(binary);
        remembering.push_back(memory.ms());
    }
    print_median("capabilities, from their file", reading);
    print_median("capabilities, from memory", remembering);
}

} // namespace

int main(int argc, char** argv) {
    const std::string binary = argc > 1 ? argv[1] : "/usr/bin/qemu-system-x86_64";
    Loop loop;
    const test::TemporaryFolder folder;
    measure_start(loop, binary, folder.path() / "monitor.sock");
    measure_capabilities(loop, binary, folder.path() / "cache");
}
