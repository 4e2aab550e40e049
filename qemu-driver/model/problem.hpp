// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"
#include "libshared/xml/parts.hpp"
#include "libshared/xml/problems.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

/// How the passes refuse a document: with the line of the element, what was found, what to do.
namespace vireo::qemu {

/// `line 12: <disk>: …`; without the line where the element did not come from a document.
std::string located(xml::Where where, std::string_view element, std::string_view what);

/// Throws config_unsupported: what is said is well-formed, but cannot work.
template <class... A>
[[noreturn]] void
refuse(xml::Where where, std::string_view element, fmt::format_string<A...> form, A&&... args) {
    throw Error(ErrorCode::config_unsupported,
                "{}",
                located(where, element, fmt::format(form, std::forward<A>(args)...)));
}

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
