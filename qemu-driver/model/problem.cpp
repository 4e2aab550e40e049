// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

std::string located(xml::Where where, std::string_view element, std::string_view what) {
    if (where.line == 0) {
        return fmt::format("<{}>: {}", element, what);
    }
    return fmt::format("line {}: <{}>: {}", where.line, element, what);
}

void Refusals::add(const std::string& text) {
    if (texts_.size() < xml::Problems::kept && std::ranges::find(texts_, text) == texts_.end()) {
        texts_.push_back(text);
    }
}

void Refusals::raise() const {
    if (!texts_.empty()) {
        throw xml::DocumentError(ErrorCode::config_unsupported, texts_);
    }
}

} // namespace vireo::qemu
