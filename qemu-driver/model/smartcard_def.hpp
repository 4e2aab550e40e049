// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/chardev_def.hpp"

/// `<smartcard>`.
namespace vireo::qemu {

struct HostSmartcard {};

struct CertificatesSmartcard {
    std::vector<std::string> certificates;
    std::optional<std::string> database;
};

struct PassthroughSmartcard {
    ChardevSource chardev;
};

enum class SmartcardMode { host, host_certificates, passthrough };

/// In the order of `SmartcardMode`.
using SmartcardKind = std::variant<HostSmartcard, CertificatesSmartcard, PassthroughSmartcard>;

struct SmartcardDef {
    SmartcardKind kind;
    DeviceInfo info;
};

const xml::Type& describe(const SmartcardDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::SmartcardMode> {
    static constexpr std::array<std::string_view, 3> names{
        "host", "host-certificates", "passthrough"};
};
