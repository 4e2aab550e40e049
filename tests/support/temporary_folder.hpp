// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace vireo::test {

/// A folder of its own in the temporary folder or in `place`, removed with all its content in the
/// end. Its path is short, because socket addresses end after 107 bytes.
class TemporaryFolder {
  public:
    TemporaryFolder() : TemporaryFolder(std::filesystem::temp_directory_path()) {}

    explicit TemporaryFolder(const std::filesystem::path& place) {
        std::string name = place / "vireo-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) {
            check_errno(-1, fmt::format("create the folder '{}'", name));
        }
        path_ = std::filesystem::canonical(name);
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

} // namespace vireo::test
