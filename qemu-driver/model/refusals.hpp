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
                add(e.code(), text);
            }
        } catch (const Error& e) {
            if (e.code() != ErrorCode::config_unsupported && e.code() != ErrorCode::xml_error) {
                throw; // not a refusal
            }
            add(e.code(), e.what());
        }
    }

    /// Throws DocumentError where anything was refused, with the code of what was first.
    void raise() const;

  private:
    void add(ErrorCode code, const std::string& text);

    ErrorCode code_ = ErrorCode::config_unsupported;
    std::vector<std::string> texts_;
};

/// Runs each of the checks, then refuses what any of them refused.
template <class... Checks>
void check_all(Checks&&... checks) {
    Refusals refusals;
    (refusals.attempt(checks), ...);
    refusals.raise();
}

/// Runs `check` on each item, then refuses what it refused of any of them.
template <class List, class Check>
void check_each(List& list, Check check) {
    Refusals refusals;
    for (auto& item : list) {
        refusals.attempt([&] { check(item); });
    }
    refusals.raise();
}

} // namespace vireo::qemu
