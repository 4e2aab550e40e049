// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/paths.hpp"

namespace vireo::test {

std::filesystem::path source_dir() {
    return VIREO_SOURCE_DIR;
}

std::filesystem::path build_dir() {
    return VIREO_BUILD_DIR;
}

} // namespace vireo::test
