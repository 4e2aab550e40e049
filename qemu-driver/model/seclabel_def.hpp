// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>

/// `<seclabel>`: of the domain, and what a single image or channel overrides.
namespace vireo::qemu {

enum class SeclabelType { none, dynamic, static_ };

struct SeclabelDef {
    std::optional<SeclabelType> type;
    std::optional<std::string> model;
    std::optional<YesNo> relabel;
    std::optional<std::string> label;
    std::optional<std::string> imagelabel;
    std::optional<std::string> baselabel;
    xml::Where where;
};

struct SeclabelOverride {
    std::optional<std::string> model;
    std::optional<YesNo> relabel;
    std::optional<YesNo> labelskip;
    std::optional<std::string> label;
};

const xml::Type& describe(const SeclabelDef*);
const xml::Type& describe(const SeclabelOverride*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::SeclabelType> {
    static constexpr std::array<std::string_view, 3> names{"none", "dynamic", "static"};
};
