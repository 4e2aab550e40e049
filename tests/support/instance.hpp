// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/child.hpp"
#include "tests/support/client.hpp"
#include "tests/support/descendants.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::test {

/// What an instance may be given beside its own root.
struct InstanceOptions {
    /// Settings (`NAME=value`) that every daemon of the instance finds in its environment.
    std::vector<std::string> environment = {};
    /// Where the state is kept; empty: a temporary folder that goes with the instance.
    std::filesystem::path root = {};
    /// The folder that holds `vireo-proxyd` and the others; empty: that of the build.
    std::filesystem::path daemons = {};
};

/// A whole Vireo of its own: a root, a message bus on which `vireo-proxyd` starts on demand, and
/// whatever runs below it. All of it is ended and removed with the object, also when the test
/// crashes or is killed. When a check of the test has failed, what the daemons printed is printed.
///
///     const Instance instance;
///     Client client = instance.connect();
///     auto paths = client.call<std::vector<bus::ObjectPath>>(libvirt_connect, "ListDomains",
///                                                            std::uint32_t{0});
class Instance {
  public:
    Instance() : Instance(InstanceOptions{}) {}

    /// Returns once the bus listens; no daemon runs yet.
    explicit Instance(const InstanceOptions& options);
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance();

    /// The daemons' `--root`.
    const std::filesystem::path& root() const noexcept { return root_; }

    const std::string& bus_address() const noexcept { return bus_address_; }

    /// A client of the bus.
    Client connect() const { return Client(bus_address_); }

    /// A client of one driver's own socket (`qemud`), without the proxy and the bus; the driver
    /// must listen there already.
    Client connect_driver(std::string_view driver) const;

    /// Runs a client program with this bus as its session and system bus.
    Finished run(std::vector<std::string> words, std::chrono::milliseconds limit) const;

    /// What runs below this instance, the bus daemon excepted: daemons, guests, helpers.
    std::vector<Process> processes() const;
    /// The process of that program name (`vireo-qemud`), where exactly one runs.
    std::optional<pid_t> find(std::string_view program) const;
    /// Sends the signal to every process of that program name and waits until they have ended.
    /// Throws operation_timeout when one is still there after 20 s.
    void end(std::string_view program, int signal) const;

    /// Every file, socket and link below the root, relative to it; folders are left out.
    std::vector<std::string> files() const;
    /// What bus and daemons have printed so far.
    std::string log() const;

    /// Ends everything that runs, the bus and, where it is temporary, the root. A report of a
    /// sanitizer in the log fails the test.
    void stop();

  private:
    void check_log(std::string_view log) const;

    std::string bus_address_;
    std::filesystem::path root_;
    std::filesystem::path log_path_;
    Fd input_;
    Fd output_;
    std::optional<Child> holder_;
};

} // namespace vireo::test
