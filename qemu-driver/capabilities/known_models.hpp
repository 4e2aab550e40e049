// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"

#include <array>

namespace vireo::qemu {

/// What documents and libvirt 9.0's CPU map (src/cpu_map) mean by a model's name, beyond what QEMU
/// tells of it. Newer models of QEMU's are not there; they are as QEMU says.
struct KnownModel {
    std::string_view name;
    unsigned family = 0; ///< of the processors that it stands for; 0 for none
    std::array<unsigned, 4> models = {};
    unsigned first_stepping = 0, last_stepping = 15;
    bool for_guests = true;        ///< a guest may have it for its host's
    std::string_view removed = {}; ///< a feature that its processors have and QEMU's model lost

    bool is_of(const CpuFacts& cpu) const;
};

/// Nothing for a name that is not there.
const KnownModel* known_model(std::string_view name);

/// The newer model has the greater one; those that are not known come last, as one.
std::size_t age_rank(std::string_view name);

/// Intel's first processors with transactional memory, whose microcode takes it away again.
bool has_broken_tsx(const CpuFacts& cpu);

} // namespace vireo::qemu
