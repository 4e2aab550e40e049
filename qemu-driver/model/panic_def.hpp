// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

namespace vireo::qemu {

enum class PanicModel { isa, pseries, hyperv, s390 };

/// `<panic>`: how the guest tells that its kernel has given up.
struct PanicDef {
    /// Absent only before `fill_defaults`.
    std::optional<PanicModel> model;
    DeviceInfo info;
};

const xml::Type& describe(const PanicDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::PanicModel> {
    static constexpr std::array<std::string_view, 4> names{"isa", "pseries", "hyperv", "s390"};
};
