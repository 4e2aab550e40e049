// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "qemu-driver/store/index.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vireo::qemu {

/// What is known of a stored definition without parsing it.
struct StoredDomain {
    std::string uuid; // canonical
    std::string name;
    bool autostart = false;
    FileMark mark;                                // of the file that says so
    std::shared_ptr<const DomainSummary> summary; // null where the index did not have it
};

/// The persistent definitions: one file per domain, `UUID.xml`, so that a rename is one atomic
/// replacement, and `autostart/UUID` where it starts with the host.
///
/// An index in the cache holds each file's size, inode and times of change together with the
/// domain's name and summary: at start only files that the index does not describe are opened. It
/// may be lost or stale at any time without harm.
class Definitions {
  public:
    /// Creates the folders.
    Definitions(Loop& loop, const std::string& config, const std::string& cache);

    /// All of them. A file that cannot be read, or whose name does not fit its content, is logged
    /// and passed over; it stays where it is.
    std::vector<StoredDomain> load();

    /// The document of one domain.
    std::string read(const std::string& uuid) const;
    /// On disk when it returns; gives the mark of the new file.
    Task<FileMark> save(std::string uuid, std::string name, std::string document);
    Task<void> remove(std::string uuid);
    Task<void> set_autostart(std::string uuid, bool autostart);

    /// Writes the index of these domains. Not durable. The first blocks, for the daemon's end; the
    /// second works off the loop.
    void write_index(const std::vector<StoredDomain>& domains);
    Task<void> save_index(std::vector<StoredDomain> domains);

    bool index_is_stale() const noexcept { return index_is_stale_; }

  private:
    std::string path_of(const std::string& uuid) const;
    std::string autostart_path_of(const std::string& uuid) const;

    Loop& loop_;
    std::string folder_;
    std::string index_path_;
    bool index_is_stale_ = false;
};

} // namespace vireo::qemu
