// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"

#include <string>
#include <vector>

namespace vireo::xml {

/// Everything that is wrong with a document, as one error: what() has all of it in one line,
/// separated by "; ".
class DocumentError : public Error {
  public:
    /// `each` has at least one mistake, each with its place.
    DocumentError(ErrorCode code, std::vector<std::string> each);

    const std::vector<std::string>& each() const noexcept { return each_; }

  private:
    std::vector<std::string> each_;
};

} // namespace vireo::xml
