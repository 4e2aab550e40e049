// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

/// `<shmem>`: memory shared between guests.
namespace vireo::qemu {

enum class ShmemModel { ivshmem, ivshmem_plain, ivshmem_doorbell };
enum class ShmemRole { master, peer };

struct ShmemMsi {
    std::optional<YesNo> enabled;
    std::optional<uint32_t> vectors;
    std::optional<OnOff> ioeventfd;
};

struct ShmemServer {
    std::optional<std::string> path;
};

struct ShmemDef {
    std::string name;
    std::optional<ShmemRole> role;
    std::optional<ShmemModel> model;
    std::optional<uint64_t> size_mib;
    std::optional<ShmemServer> server;
    std::optional<ShmemMsi> msi;
    DeviceInfo info;
};

const xml::Type& describe(const ShmemDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::ShmemModel> {
    static constexpr std::array<std::string_view, 3> names{
        "ivshmem", "ivshmem-plain", "ivshmem-doorbell"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ShmemRole> {
    static constexpr std::array<std::string_view, 2> names{"master", "peer"};
};
