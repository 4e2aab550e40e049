// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

namespace vireo::qemu {

enum class CryptoModel { virtio };
enum class CryptoType { qemu };
enum class CryptoBackend { builtin, lkcf };

/// `<crypto>`.
struct CryptoDef {
    CryptoModel model{};
    CryptoType type{};
    CryptoBackend backend{};
    std::optional<uint32_t> queues;
    VirtioOptions virtio;
    DeviceInfo info;
};

const xml::Type& describe(const CryptoDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::CryptoModel> {
    static constexpr std::array<std::string_view, 1> names{"virtio"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CryptoType> {
    static constexpr std::array<std::string_view, 1> names{"qemu"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CryptoBackend> {
    static constexpr std::array<std::string_view, 2> names{"builtin", "lkcf"};
};
