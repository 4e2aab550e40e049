// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan.hpp"

#include <iterator>

namespace vireo::qemu {

using nlohmann::json;

Step device_step(json props) {
    return {"-device", "device_add", std::move(props), {}};
}

Step object_step(json props) {
    return {"-object", "object-add", std::move(props), {}};
}

Step blockdev_step(json props) {
    return {"-blockdev", "blockdev-add", std::move(props), {}};
}

Step netdev_step(json props) {
    return {"-netdev", "netdev_add", std::move(props), {}};
}

Step option_step(std::string_view option, std::string text) {
    return {option, {}, nullptr, std::move(text)};
}

Step flag_step(std::string_view option) {
    return {option, {}, nullptr, {}};
}

void append(Plan& plan, Plan more) {
    plan.insert(
        plan.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void append(std::vector<std::string>& argv, const Plan& plan) {
    for (const Step& step : plan) {
        argv.emplace_back(step.option);
        if (!step.text.empty()) {
            argv.push_back(step.text);
        } else if (!step.props.is_null()) {
            argv.push_back(step.props.dump());
        }
    }
}

OptionText& OptionText::word(std::string_view value) {
    if (!text_.empty()) {
        text_ += ',';
    }
    append_escaped(value);
    return *this;
}

OptionText& OptionText::add(std::string_view key, std::string_view value) {
    if (!text_.empty()) {
        text_ += ',';
    }
    text_ += key;
    text_ += '=';
    append_escaped(value);
    return *this;
}

void OptionText::append_escaped(std::string_view value) {
    for (const char c : value) {
        text_ += c;
        if (c == ',') {
            text_ += ',';
        }
    }
}

} // namespace vireo::qemu
