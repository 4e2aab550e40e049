// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace vireo::test {

/// A folder of the test's own, gone with it.
class TemporaryFolder {
  public:
    TemporaryFolder() : path_(std::filesystem::temp_directory_path() / "vireo-XXXXXX") {
        if (mkdtemp(path_.data()) == nullptr) {
            check_errno(-1, "make a temporary folder");
        }
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

} // namespace vireo::test
