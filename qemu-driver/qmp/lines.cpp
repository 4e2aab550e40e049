// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/qmp/lines.hpp"

namespace vireo::qemu::qmp {

namespace {

/// What an empty splitter may keep.
constexpr std::size_t kept_capacity = 4096;

} // namespace

bool Lines::add(std::string_view bytes) {
    trim();
    if (begin_ > bytes_.size() / 2) {
        bytes_.erase(0, begin_);
        end_ -= complete() ? begin_ : 0;
        begin_ = 0;
    }
    const std::size_t had = bytes_.size();
    bytes_ += bytes;
    if (!complete()) {
        look_for_end(had);
    }
    return complete() || bytes_.size() - begin_ <= longest_;
}

std::string_view Lines::take() {
    const std::string_view line(bytes_.data() + begin_, end_ - begin_);
    begin_ = end_ + 1;
    look_for_end(begin_);
    return line;
}

void Lines::trim() noexcept {
    if (begin_ == bytes_.size()) {
        clear();
    }
}

void Lines::clear() noexcept {
    bytes_.clear();
    if (bytes_.capacity() > kept_capacity) {
        std::string().swap(bytes_);
    }
    begin_ = 0;
    end_ = std::string::npos;
}

void Lines::look_for_end(std::size_t from) noexcept {
    end_ = bytes_.find('\n', from);
}

} // namespace vireo::qemu::qmp
