// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::xml {

/// Something in a document that is wrong or not known.
struct Problem {
    unsigned line = 0;
    std::string path; // domain/devices/disk[2]
    std::string what;

    /// `line 4: domain/devices/disk: attribute 'type' is missing`
    std::string text() const;
};

class Node;

/// What is done with elements and attributes that no description knows (and no Extra keeps).
enum class Unknown {
    refuse, // they are problems like others
    report  // they are put elsewhere, or nowhere
};

/// The first problems that were found in a document, by line; further ones are only counted.
class Problems {
  public:
    static constexpr std::size_t kept = 20;

    Problems() = default;

    /// With Unknown::report, unknowns go to `elsewhere` if there is one.
    Problems(Unknown unknown, Problems* elsewhere) noexcept
        : refuses_unknown_(unknown == Unknown::refuse), unknowns_(elsewhere) {}

    void add(unsigned line, std::string path, std::string what);
    /// With the node's line and path.
    void add(const Node& node, std::string what);

    /// Where unknown elements and attributes go; null where nobody wants to know.
    Problems* unknowns() noexcept { return refuses_unknown_ ? this : unknowns_; }

    /// Whether a further problem would be kept; its path need not be made otherwise.
    bool full() const noexcept { return list_.size() >= kept; }

    bool empty() const noexcept { return count_ == 0; }

    std::size_t count() const noexcept { return count_; }

    const std::vector<Problem>& list() const noexcept { return list_; }

    /// All in one line, separated by "; ", with the number of those that were not kept.
    std::string text() const;
    /// Throws xml_error with text() if there is any problem.
    void raise() const;

  private:
    std::vector<Problem> list_;
    std::size_t count_ = 0;
    bool refuses_unknown_ = true;
    Problems* unknowns_ = nullptr;
};

/// `text` for a message: in quotes, cut where it is long, without control characters.
std::string quoted(std::string_view text);

} // namespace vireo::xml
