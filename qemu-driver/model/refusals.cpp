// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"

#include <algorithm>

namespace vireo::qemu {

void Refusals::add(ErrorCode code, const std::string& text) {
    constexpr std::size_t kept = 20;
    if (texts_.empty()) {
        code_ = code;
    }
    if (texts_.size() < kept && std::ranges::find(texts_, text) == texts_.end()) {
        texts_.push_back(text);
    }
}

void Refusals::raise() const {
    if (!texts_.empty()) {
        throw xml::DocumentError(code_, texts_);
    }
}

} // namespace vireo::qemu
