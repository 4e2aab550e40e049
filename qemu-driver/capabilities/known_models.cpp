// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/known_models.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

constexpr std::array<unsigned, 4> haswell{60, 63, 69, 70};
constexpr std::array<unsigned, 4> broadwell{61, 71, 79, 86};
constexpr std::array<unsigned, 4> skylake{78, 94, 142, 158};
constexpr std::array<unsigned, 4> nehalem{26, 30, 31, 46};

// In the map's order: of two that suit a processor as well, the later one is taken.
constexpr KnownModel known[] = {
    {"486"},
    {"pentium"},
    {"pentium2"},
    {"pentium3"},
    {"pentiumpro"},
    {"coreduo"},
    {"n270"},
    {"core2duo"},
    {"qemu32"},
    {"kvm32"},
    {"qemu64"},
    {"kvm64"},
    {"Conroe", 6, {15, 22}},
    {"Penryn", 6, {23, 29}},
    {"Nehalem", 6, nehalem},
    {"Nehalem-IBRS", 6, nehalem},
    {"Westmere", 6, {37, 44, 47}},
    {"Westmere-IBRS", 6, {44}},
    {"SandyBridge", 6, {42, 45}},
    {"SandyBridge-IBRS", 6, {42, 45}},
    {"IvyBridge", 6, {58, 62}},
    {"IvyBridge-IBRS", 6, {58, 62}},
    {"Haswell-noTSX", 6, haswell},
    {"Haswell-noTSX-IBRS", 6, haswell},
    {"Haswell", 6, haswell},
    {"Haswell-IBRS", 6, haswell},
    {"Broadwell-noTSX", 6, broadwell},
    {"Broadwell-noTSX-IBRS", 6, broadwell},
    {"Broadwell", 6, broadwell},
    {"Broadwell-IBRS", 6, broadwell},
    {"Skylake-Client", 6, skylake},
    {"Skylake-Client-IBRS", 6, skylake},
    {.name = "Skylake-Client-noTSX-IBRS", .family = 6, .models = skylake, .for_guests = false},
    {"Skylake-Server", 6, {85}, 0, 4},
    {"Skylake-Server-IBRS", 6, {85}, 0, 4},
    {"Skylake-Server-noTSX-IBRS", 6, {85}, 0, 4, false},
    {"Cascadelake-Server", 6, {85}, 5, 7},
    {"Cascadelake-Server-noTSX", 6, {85}, 5, 7, false},
    {"Icelake-Client", 6, {126}, 0, 15, true, "intel-pt"},
    {"Icelake-Client-noTSX", 6, {126}, 0, 15, false, "intel-pt"},
    {"Icelake-Server", 6, {106}, 0, 15, true, "intel-pt"},
    {"Icelake-Server-noTSX", 6, {106}, 0, 15, false, "intel-pt"},
    {"Cooperlake", 6, {85}, 10, 11},
    {"Snowridge", 6, {134}},
    {"athlon"},
    {"phenom"},
    {"Opteron_G1", 15, {6}},
    {"Opteron_G2", 15, {6}},
    {"Opteron_G3", 15, {6}, 0, 15, true, "monitor"},
    {"Opteron_G4", 21, {1}},
    {"Opteron_G5", 21, {2}},
    {"EPYC", 23, {1}, 0, 15, true, "monitor"},
    {"EPYC-IBPB", 23, {1}, 0, 15, true, "monitor"},
    {"EPYC-Rome", 23, {49}},
    {"EPYC-Milan", 25, {1}},
    {"Dhyana", 24, {0}, 0, 15, true, "monitor"},
};

} // namespace

bool KnownModel::is_of(const CpuFacts& cpu) const {
    // Models that are not given are 0, which only Dhyana is.
    const auto same = std::ranges::find(models, cpu.model);
    return family != 0 && cpu.family == family && same != models.end() &&
           (cpu.model != 0 || models.front() == 0) && cpu.stepping >= first_stepping &&
           cpu.stepping <= last_stepping;
}

const KnownModel* known_model(std::string_view name) {
    const auto* found = std::ranges::find(known, name, &KnownModel::name);
    return found == std::end(known) ? nullptr : found;
}

std::size_t age_rank(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(known, name, &KnownModel::name) - known);
}

bool has_broken_tsx(const CpuFacts& cpu) {
    const bool early_server = cpu.model == 63 && cpu.stepping < 4;
    return cpu.vendor == "Intel" && cpu.family == 6 &&
           (early_server || cpu.model == 60 || cpu.model == 69 || cpu.model == 70);
}

} // namespace vireo::qemu
