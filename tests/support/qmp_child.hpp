// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace vireo::test {

/// A QEMU that speaks QMP with the test, blocking: for tests that need the real program and no
/// loop. The destructor kills and reaps it.
class QmpChild {
  public:
    /// QMP on the child's standard input and output.
    explicit QmpChild(const std::vector<std::string>& argv);
    /// QMP on the socket `qmp`, which is connected to one that the child listens on. Each pair in
    /// `passed` is a descriptor and the number under which the child finds it.
    QmpChild(const std::vector<std::string>& argv,
             const std::vector<std::pair<int, int>>& passed,
             int qmp);
    QmpChild(const QmpChild&) = delete;
    QmpChild& operator=(const QmpChild&) = delete;
    ~QmpChild();

    /// Sends a command and gives QEMU's whole answer; events on the way are dropped.
    nlohmann::json execute(const std::string& command, const nlohmann::json& arguments = nullptr);
    /// Waits for the end and gives what the child wrote to its standard error.
    std::string finish();

  private:
    void spawn(const std::vector<std::string>& argv,
               const std::vector<std::pair<int, int>>& passed,
               int in,
               int out);
    void negotiate();
    nlohmann::json read_line();

    pid_t pid_ = -1;
    int to_child_ = -1;
    int from_child_ = -1;
    int errors_ = -1;
    std::string buffer_;
};

/// The folder of the conformance corpora, empty where this tree has none beside it.
std::string conformance_dir();

} // namespace vireo::test
