// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <filesystem>

namespace vireo::test {

/// The root of the source tree: test data is read from there.
std::filesystem::path source_dir();

/// The root of the build tree that this test belongs to: the daemons are run from there.
std::filesystem::path build_dir();

} // namespace vireo::test
