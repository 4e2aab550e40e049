// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"

namespace vireo::qemu {

std::string located(xml::Where where, std::string_view element, std::string_view what) {
    if (where.line == 0) {
        return fmt::format("<{}>: {}", element, what);
    }
    return fmt::format("line {}: <{}>: {}", where.line, element, what);
}

} // namespace vireo::qemu
