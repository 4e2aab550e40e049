// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <algorithm>

/// The guest's own NUMA cells, `<cpu><numa>`.
namespace vireo::qemu {

inline std::size_t cell_count(const DomainDef& def) {
    return def.cpu ? def.cpu->cells.size() : 0;
}

/// Nothing where there is no such cell.
inline const NumaCell* find_cell(const DomainDef& def, uint32_t id) {
    if (!def.cpu) {
        return nullptr;
    }
    const auto found = std::ranges::find(def.cpu->cells, id, &NumaCell::id);
    return found != def.cpu->cells.end() ? &*found : nullptr;
}

} // namespace vireo::qemu
