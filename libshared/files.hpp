// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

namespace vireo {

/// The whole file; throws system_error with the path. Past `most` bytes: read_failed.
std::string read_file(const std::string& path, std::size_t most = std::size_t{16} << 20);
/// Empty where there is no such file.
std::optional<std::string> read_file_if_exists(const std::string& path,
                                               std::size_t most = std::size_t{16} << 20);

/// Replaces `path` as a whole and durably: temporary file beside it, fsync, rename, fsync of the
/// folder. After a crash at any moment the old or the new content is there, never a part.
/// Blocks; in a daemon use save_file.
void write_file_durably(const std::string& path, const std::string& content, mode_t mode = 0600);
/// Removes `path` durably; no file is no error. Blocks.
void remove_file_durably(const std::string& path);
/// Replaces `path` as a whole but not durably: for what a reboot ends anyway (`/run`).
void write_file(const std::string& path, const std::string& content, mode_t mode = 0600);

/// Removes what a daemon that was killed in the middle of a replacement left in `folder`: to be
/// called before anything is written there. A folder that is not there is no error.
void remove_unfinished(const std::string& folder) noexcept;

/// write_file_durably and remove_file_durably off the loop.
Task<void> save_file(Loop& loop, std::string path, std::string content, mode_t mode = 0600);
Task<void> delete_file(Loop& loop, std::string path);

/// Creates the folder and its parents; what exists keeps its mode.
void make_folders(const std::string& path, mode_t mode = 0700);

} // namespace vireo
