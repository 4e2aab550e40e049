// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

namespace vireo::qemu {

enum class WatchdogModel { i6300esb, ib700, diag288 };
enum class WatchdogAction { reset, shutdown, poweroff, pause, dump, none, inject_nmi };

/// `<watchdog>`.
struct WatchdogDef {
    WatchdogModel model{};
    std::optional<WatchdogAction> action;
    DeviceInfo info;
};

const xml::Type& describe(const WatchdogDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::WatchdogModel> {
    static constexpr std::array<std::string_view, 3> names{"i6300esb", "ib700", "diag288"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::WatchdogAction> {
    static constexpr std::array<std::string_view, 7> names{
        "reset", "shutdown", "poweroff", "pause", "dump", "none", "inject-nmi"};
};
