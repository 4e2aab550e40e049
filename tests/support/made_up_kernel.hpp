// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"
#include "tests/support/host_tree.hpp"

#include <atomic>
#include <map>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace vireo::test {

/// The kernel's side of driver binding on a host that is made up: it watches the attributes that a
/// daemon writes (plain files), binds and unbinds, and sends the events.
class MadeUpKernel {
  public:
    /// `drivers` exist; a function is probed by the one that its driver_override names, or else by
    /// the one of `fits` (address -> driver).
    MadeUpKernel(HostTree& host,
                 const std::vector<std::string>& drivers,
                 std::map<std::string, std::string> fits);
    MadeUpKernel(const MadeUpKernel&) = delete;
    MadeUpKernel& operator=(const MadeUpKernel&) = delete;
    ~MadeUpKernel();

    /// Binds the function at `path`, as at boot.
    void bind(const std::string& path, const std::string& driver);

    /// While it hangs, what is written stays without an answer.
    void hang() { hangs_ = true; }

    /// Ends that, and returns when all is answered.
    void go_on();

  private:
    void run();
    void answer(const std::string& attribute);
    void unbind(const std::string& address);
    void tell(const char* action, const std::string& path);
    void probe(const std::string& address);
    std::string function(const std::string& address) const;

    HostTree& host_;
    std::map<std::string, std::string> fits_;
    std::map<int, std::string> watched_; // inotify's number -> folder
    Fd inotify_;
    Fd stop_;
    std::atomic<bool> hangs_ = false;
    std::binary_semaphore answered_{0};
    std::thread thread_;
};

} // namespace vireo::test
