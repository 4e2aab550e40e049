// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The features of x86 processors that CPU models are made of, in the order of the CPUID registers
/// that tell of them. Sources: Intel's Software Developer's Manual and AMD's Programmer's Manual,
/// "CPUID"; the names are QEMU's, and libvirt's where those differ.
namespace vireo::qemu {

inline constexpr std::size_t cpu_feature_limit = 256;
using CpuFeatures = std::bitset<cpu_feature_limit>; ///< by place in cpu_feature_names()

/// QEMU's name of each known feature.
std::span<const std::string_view> cpu_feature_names();

/// The place of a feature by either name; nothing where it is not known here (a feature of KVM's
/// own, or of a newer QEMU).
std::optional<std::size_t> cpu_feature(std::string_view name);

/// As libvirt's documents call it: `tsc_adjust`, `pclmuldq`.
std::string_view libvirt_feature(std::string_view qemu);
/// As QEMU calls it: `tsc-adjust`, `pclmulqdq`. Each `_` of a name that is not known is `-`.
std::string qemu_feature(std::string_view libvirt);

/// Whether a model's features count it: those that QEMU's defaults give or take whatever the model
/// says are the host's alone.
bool is_of_models(std::size_t feature);

} // namespace vireo::qemu
