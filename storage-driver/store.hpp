// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "storage-driver/model/pool_def.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vireo::storage {

/// What is kept of pools in files: definitions (`NAME.xml`) and which of them start with the host
/// (`autostart/NAME.xml`) below the configuration folder, for good; which ones run below the
/// runtime folder, until the next boot. A daemon that was killed finds all of it again.
class PoolStore {
  public:
    struct Stored {
        std::optional<PoolDef> definition;
        std::optional<PoolDef> running;
        bool autostart = false;
    };

    PoolStore(Loop& loop, std::string config_folder, std::string runtime_folder);

    /// Everything that is there, by UUID. A file that cannot be read or makes no sense is named in
    /// the log and left as it is.
    std::map<std::string, Stored> load() const;

    /// Durable once it returns, as the three below.
    Task<void> save_definition(PoolDef pool);
    Task<void> remove_definition(std::string name);
    Task<void> save_autostart(std::string name, bool autostart);
    /// These last until the next boot.
    void save_running(const PoolDef& pool) const;
    void remove_running(const std::string& name) const;

    /// True for the first call since the host booted.
    bool first_since_boot() const;

  private:
    std::vector<PoolDef> load_folder(const std::string& folder) const;
    std::string definition_path(const std::string& name) const;
    std::string autostart_path(const std::string& name) const;
    std::string running_path(const std::string& name) const;

    Loop& loop_;
    std::string config_;
    std::string runtime_;
};

} // namespace vireo::storage
