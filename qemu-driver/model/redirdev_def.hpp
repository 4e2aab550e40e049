// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/chardev_def.hpp"

/// `<redirdev>` and `<redirfilter>`: USB devices of a client that reach the guest over a
/// character device.
namespace vireo::qemu {

enum class RedirdevBus { usb };

struct RedirdevDef {
    RedirdevBus bus{};
    ChardevSource source;
    DeviceInfo info;
};

/// -1 (or absent): any.
struct RedirfilterRule {
    std::optional<int32_t> usb_class;
    std::optional<int32_t> vendor;
    std::optional<int32_t> product;
    /// BCD as written (`1.10`); absent: any.
    std::optional<std::string> version;
    YesNo allow{};
};

struct RedirfilterDef {
    std::vector<RedirfilterRule> rules;
};

const xml::Type& describe(const RedirdevDef*);
const xml::Type& describe(const RedirfilterDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::RedirdevBus> {
    static constexpr std::array<std::string_view, 1> names{"usb"};
};
