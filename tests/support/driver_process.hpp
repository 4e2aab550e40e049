// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/process.hpp"
#include "libshared/fd.hpp"
#include "tests/support/client.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vireo::test {

/// A driver daemon by itself, without proxy and bus: started with its listening socket, as systemd
/// does it, so that a client can connect at once. Ends with the object.
class DriverProcess {
  public:
    /// `driver` is "nodedevd". `environment` (`NAME=value`) is set beside the test's own.
    DriverProcess(const std::string& driver,
                  const std::filesystem::path& root,
                  std::vector<std::string> environment = {},
                  std::vector<std::string> options = {"--idle-timeout", "0"});
    DriverProcess(const DriverProcess&) = delete;
    DriverProcess& operator=(const DriverProcess&) = delete;
    /// SIGKILL where it still runs.
    ~DriverProcess();

    /// For `busctl --address=`.
    std::string address() const;
    Client connect() const;

    /// Sends the signal and waits for the end.
    vireo::ExitStatus end(int signal);
    /// Waits for it to end by itself; throws after 20 s.
    vireo::ExitStatus wait();

  private:
    Loop loop_;
    std::string socket_path_;
    std::optional<vireo::Process> process_;
};

} // namespace vireo::test
