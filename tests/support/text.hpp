// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace vireo::test {

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace vireo::test
