// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/client.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/temporary_folder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vireo::benchmark {

/// What a set of processes takes of the memory, in MiB.
struct Memory {
    double pss = 0;       ///< Proportional: what several processes share counts once.
    double anonymous = 0; ///< The part that no file is behind.
};

/// A service of `org.libvirt` on a bus of its own, to be measured from a client's side.
class Subject {
  public:
    static std::unique_ptr<Subject> vireo();
    /// libvirtd behind libvirt-dbus, both as a session of their own below a temporary folder; null
    /// where they are not installed.
    static std::unique_ptr<Subject> libvirt();

    test::Client& client() noexcept { return *client_; }

    test::Client connect() const { return instance_->connect(); }

    /// Where its whole state is.
    const std::filesystem::path& root() const { return instance_->root(); }

    std::vector<test::Process> processes() const { return instance_->processes(); }

    /// Ends all daemons with SIGTERM; guests stay. The next call starts what it needs.
    void end_daemons();
    /// The memory of the daemons that run; guests do not count.
    Memory memory() const;

    /// Defines a small domain of that name and gives its path.
    bus::ObjectPath define(const std::string& name);
    std::vector<bus::ObjectPath> list();

  private:
    Subject() = default;

    std::vector<test::Process> daemons() const;

    std::unique_ptr<test::TemporaryFolder> programs_;
    std::unique_ptr<test::TemporaryFolder> runtime_; ///< in memory, as /run of every host
    std::unique_ptr<test::Instance> instance_;
    std::optional<test::Client> client_;
};

/// The definition that the domains of the benchmark have.
std::string domain_xml(const std::string& name);

} // namespace vireo::benchmark
