// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/nested.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// A vendor's (V0, VA ...) or the system's (Y0 ...) own field; `index` is its second letter.
struct VpdField {
    std::string index;
    std::string value;

    bool operator==(const VpdField&) const = default;
};

struct VpdReadOnly {
    Word<"readonly"> access{};
    std::string change_level;
    std::string manufacture_id;
    std::string part_number;
    std::string serial_number;
    std::vector<VpdField> vendor_fields;

    bool operator==(const VpdReadOnly&) const = default;
};

struct VpdReadWrite {
    Word<"readwrite"> access{};
    std::string asset_tag;
    std::vector<VpdField> vendor_fields;
    std::vector<VpdField> system_fields;

    bool operator==(const VpdReadWrite&) const = default;
};

/// What a PCI device's maker wrote into it. Source: PCI Local Bus Specification 3.0, appendix I.
struct VitalProductData {
    Word<"vpd"> type{};
    std::string name;
    std::optional<VpdReadOnly> read_only;
    std::optional<VpdReadWrite> read_write;

    bool operator==(const VitalProductData&) const = default;
};

} // namespace vireo::nodedev
