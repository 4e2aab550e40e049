// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>

/// `<launchSecurity>`: memory that the host cannot read.
namespace vireo::qemu {

enum class LaunchSecurityType { sev, s390_pv };

/// AMD SEV; what is absent is the host's (`cbitpos`, `reduced_phys_bits`).
struct LaunchSecurityDef {
    LaunchSecurityType type{};
    /// Hashes of kernel, initrd and command line are measured with the firmware.
    std::optional<YesNo> kernel_hashes;
    std::optional<uint32_t> cbitpos;
    std::optional<uint32_t> reduced_phys_bits;
    /// Bits of the guest policy (AMD's SEV API, chapter 3).
    uint32_t policy{};
    /// The guest owner's Diffie-Hellman key and session, base64.
    std::optional<std::string> dh_cert;
    std::optional<std::string> session;
    xml::Where where;
};

const xml::Type& describe(const LaunchSecurityDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::LaunchSecurityType> {
    static constexpr std::array<std::string_view, 2> names{"sev", "s390-pv"};
};
