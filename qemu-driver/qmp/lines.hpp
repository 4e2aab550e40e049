// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vireo::qemu::qmp {

/// Splits a stream into lines, each byte looked at once. Holds little memory while it is empty:
/// there is one for each guest.
class Lines {
  public:
    /// `longest`: bytes of one line.
    explicit Lines(std::size_t longest) : longest_(longest) {}

    /// More bytes of the stream. False when the unfinished line is too long.
    bool add(std::string_view bytes);

    /// A whole line is there.
    bool complete() const noexcept { return end_ != std::string::npos; }

    /// The next whole line without its end; only when complete(). Valid until the next call of
    /// another function.
    std::string_view take();

    /// Gives memory back where nothing is left.
    void trim() noexcept;
    void clear() noexcept;

  private:
    void look_for_end(std::size_t from) noexcept;

    std::size_t longest_;
    std::string bytes_;
    std::size_t begin_ = 0;               // of the first line that was not taken
    std::size_t end_ = std::string::npos; // where that line's newline is
};

} // namespace vireo::qemu::qmp
