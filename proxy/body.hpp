// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"

#include <string>
#include <vector>

/// Messages made out of other messages, for what cannot be sent on as it was received.
namespace vireo::proxy {

/// Appends the whole body of `from`, descriptors included, to the unsealed message `to`. Arrays of
/// numbers, as in large `ay`, are copied in one piece. Throws system_error.
void copy_body(sd_bus_message* from, sd_bus_message* to);

/// The same call, from the same caller, for another connection under another serial number.
bus::Message copy_call(sd_bus_message* call, sd_bus* connection, std::uint32_t cookie);

/// `answer`, a reply or an error, as the answer to `call`: name, text and all that follows it kept.
bus::Message copy_answer(sd_bus_message* answer, sd_bus_message* call);

/// The answer to `call` that has, in one array `a`+`element`, the elements of all answers' first
/// array. `element` is a D-Bus type such as `{sv}`.
bus::Message merge_answers(const std::vector<bus::Message>& answers,
                           sd_bus_message* call,
                           const std::string& element);

/// Answers with an error unless the caller wants no reply. A caller that has left is no failure.
void answer_error(sd_bus_message* call, const char* name, const std::string& text) noexcept;

} // namespace vireo::proxy
