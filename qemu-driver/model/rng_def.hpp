// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/chardev_def.hpp"

/// `<rng>`: a source of random bytes for the guest.
namespace vireo::qemu {

/// A device node; absent before `fill_defaults`: /dev/random.
struct RandomBackend {
    std::optional<std::string> path;
};

/// An entropy gathering daemon behind a socket.
struct EgdBackend {
    ChardevSource chardev;
};

struct BuiltinBackend {};

enum class RngBackendModel { random, egd, builtin };

/// In the order of `RngBackendModel`.
using RngBackend = std::variant<RandomBackend, EgdBackend, BuiltinBackend>;

/// At most `bytes` in each `period_ms`.
struct RngRate {
    uint32_t bytes{};
    std::optional<uint32_t> period_ms;
};

struct RngDef {
    VirtioModel model{};
    RngBackend backend;
    std::optional<RngRate> rate;
    VirtioOptions virtio;
    DeviceInfo info;
};

const xml::Type& describe(const RngDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::RngBackendModel> {
    static constexpr std::array<std::string_view, 3> names{"random", "egd", "builtin"};
};
