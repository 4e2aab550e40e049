// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vireo::qemu {

/// One thing that QEMU makes: an option of its command line, and the QMP command that makes the
/// same in a running guest.
struct Step {
    std::string_view option;  ///< "-device"
    std::string_view command; ///< "device_add"; empty: at start only
    nlohmann::json props;     ///< the command's arguments, and the option's value where it is JSON
    std::string text;         ///< the option's value where it is not JSON
};

/// What one device needs, in the order in which it is made; unplug goes backwards.
using Plan = std::vector<Step>;

Step device_step(nlohmann::json props);
Step object_step(nlohmann::json props);
Step blockdev_step(nlohmann::json props);
Step netdev_step(nlohmann::json props);
/// An option of the command line that has no counterpart in QMP.
Step option_step(std::string_view option, std::string text);
Step flag_step(std::string_view option);

void append(Plan& plan, Plan more);
/// Adds each step's option and value to the arguments of a command line.
void append(std::vector<std::string>& argv, const Plan& plan);

/// QEMU's `word,key=value,...` syntax, for the options that know no JSON (-machine, -chardev, -vnc,
/// ...). A comma in a value is doubled, so any text is a value.
/// Source: QEMU, qemu_opts_parse in util/qemu-option.c.
class OptionText {
  public:
    OptionText() = default;

    explicit OptionText(std::string_view first) { word(first); }

    /// A value without a key: the option's implied one, first of all.
    OptionText& word(std::string_view value);
    OptionText& add(std::string_view key, std::string_view value);

    OptionText& add(std::string_view key, const char* value) {
        return add(key, std::string_view(value));
    }

    OptionText& add(std::string_view key, uint64_t value) {
        return add(key, std::to_string(value));
    }

    OptionText& on_off(std::string_view key, bool value) { return add(key, value ? "on" : "off"); }

    std::string take() { return std::move(text_); }

  private:
    void append_escaped(std::string_view value);

    std::string text_;
};

} // namespace vireo::qemu
