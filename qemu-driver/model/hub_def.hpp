// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

namespace vireo::qemu {

enum class HubType { usb };

/// `<hub>`: a USB hub of 8 ports.
struct HubDef {
    HubType type{};
    DeviceInfo info;
};

const xml::Type& describe(const HubDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::HubType> {
    static constexpr std::array<std::string_view, 1> names{"usb"};
};
