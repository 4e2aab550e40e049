// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/daemon/options.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <string>
#include <vector>

namespace vireo::tool {

/// This host as qemud sees it, without qemud: its QEMU is probed, or what a daemon has learnt of it
/// is taken from the cache. Waits where a daemon would not block.
class ThisHost {
  public:
    /// `root`: of an instance; empty: the system's for root, else the user's own.
    explicit ThisHost(const std::string& root);

    /// What a guest of this document would be started with now, the program first.
    std::vector<std::string> arguments(std::string xml);
    /// What a document says, completed: as a new definition, or as that of a running guest.
    qemu::DomainDef completed(qemu::DomainDef def, bool active);

  private:
    Options options_;
    Loop loop_;
    qemu::Host host_;
};

} // namespace vireo::tool
