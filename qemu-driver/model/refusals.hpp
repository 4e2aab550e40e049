// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/document_error.hpp"
#include "qemu-driver/model/problem.hpp"

#include <string>
#include <vector>

namespace vireo::qemu {

/// What several checks that do not build on each other refuse, as one error.
class Refusals {
  public:
    template <class Check>
    void attempt(Check&& check) {
        try {
            check();
        } catch (const xml::DocumentError& e) {
            for (const std::string& text : e.each()) {
                add(text);
            }
        } catch (const Error& e) {
            if (e.code() != ErrorCode::config_unsupported) {
                throw; // not a refusal
            }
            add(e.what());
        }
    }

    /// Throws DocumentError, config_unsupported, where anything was refused.
    void raise() const;

  private:
    void add(const std::string& text);

    std::vector<std::string> texts_;
};

/// Runs `check` on each item, then refuses what it refused of any of them.
template <class List, class Check>
void check_each(const List& list, Check check) {
    Refusals refusals;
    for (const auto& item : list) {
        refusals.attempt([&] { check(item); });
    }
    refusals.raise();
}

} // namespace vireo::qemu
