// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/chardev_def.hpp"
#include "qemu-driver/model/disk_source.hpp"

/// `<tpm>`.
namespace vireo::qemu {

enum class TpmModel { tpm_tis, tpm_crb, tpm_spapr, spapr_tpm_proxy };

enum class TpmVersion { v1_2, v2_0 };

enum class PcrBank { sha1, sha256, sha384, sha512 };

struct PassthroughTpm {
    std::optional<std::string> path;
};

struct EmulatorTpm {
    std::optional<TpmVersion> version;
    /// UUID of the secret that encrypts its state.
    std::optional<std::string> encryption_secret;
    std::optional<YesNo> persistent_state;
    std::vector<PcrBank> active_pcr_banks;
};

/// A TPM emulator that someone else runs, behind a UNIX socket.
struct ExternalTpm {
    HelperTransport transport{};
    SocketMode mode{};
    std::string path;
};

enum class TpmBackendType { passthrough, emulator, external };

/// In the order of `TpmBackendType`.
using TpmBackend = std::variant<PassthroughTpm, EmulatorTpm, ExternalTpm>;

struct TpmDef {
    /// Absent only before `fill_defaults`.
    std::optional<TpmModel> model;
    TpmBackend backend;
    DeviceInfo info;
};

const xml::Type& describe(const TpmDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::TpmModel> {
    static constexpr std::array<std::string_view, 4> names{
        "tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TpmVersion> {
    static constexpr std::array<std::string_view, 2> names{"1.2", "2.0"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TpmBackendType> {
    static constexpr std::array<std::string_view, 3> names{"passthrough", "emulator", "external"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PcrBank> {
    static constexpr std::array<std::string_view, 4> names{"sha1", "sha256", "sha384", "sha512"};
};
