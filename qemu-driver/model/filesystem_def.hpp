// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"
#include "qemu-driver/model/disk_source.hpp"

/// `<filesystem>`: a host folder in the guest.
namespace vireo::qemu {

enum class FilesystemType { mount, block, file, template_, ram, bind, volume };
enum class FilesystemAccess { passthrough, mapped, squash };
enum class FilesystemDriver { path, handle, loop, nbd, ploop, virtiofs, mtp };
enum class FilesystemWritePolicy { immediate };
enum class FilesystemMultidevs { default_, remap, forbid, warn };
enum class VirtiofsCache { none, always };
enum class VirtiofsSandbox { namespace_, chroot };

/// `<binary>`: the virtiofsd to run.
struct VirtiofsBinary {
    std::optional<std::string> path;
    std::optional<OnOff> xattr;
    std::optional<VirtiofsCache> cache;
    std::optional<VirtiofsSandbox> sandbox;
    std::optional<OnOff> posix_lock;
    std::optional<OnOff> flock;
    std::optional<uint32_t> thread_pool_size;
};

struct FilesystemDef {
    FilesystemType type{};
    std::optional<FilesystemAccess> access_mode;
    std::optional<VirtioModel> model;
    std::optional<FilesystemMultidevs> multidevs;
    /// Octal in XML.
    std::optional<uint32_t> fmode;
    std::optional<uint32_t> dmode;
    std::optional<FilesystemDriver> driver;
    std::optional<DiskFormat> format;
    std::optional<FilesystemWritePolicy> write_policy;
    std::optional<uint32_t> queue_size;
    VirtioOptions virtio;
    std::optional<VirtiofsBinary> binary;
    std::optional<std::string> source_dir;
    /// Of the other types, which containers have: an image, a device, a template, a size in memory.
    std::optional<std::string> source_file;
    std::optional<std::string> source_dev;
    std::optional<std::string> source_name;
    std::optional<uint64_t> source_usage;
    std::optional<std::string> source_units;
    std::optional<uint64_t> hard_limit_bytes;
    std::optional<uint64_t> soft_limit_bytes;
    /// Of a virtiofsd that someone else runs.
    std::optional<std::string> source_socket;
    /// The mount tag.
    std::string target_dir;
    bool readonly{};
    DeviceInfo info;
};

const xml::Type& describe(const FilesystemDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::FilesystemType> {
    static constexpr std::array<std::string_view, 7> names{
        "mount", "block", "file", "template", "ram", "bind", "volume"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::FilesystemAccess> {
    static constexpr std::array<std::string_view, 3> names{"passthrough", "mapped", "squash"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::FilesystemDriver> {
    static constexpr std::array<std::string_view, 7> names{
        "path", "handle", "loop", "nbd", "ploop", "virtiofs", "mtp"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::FilesystemWritePolicy> {
    static constexpr std::array<std::string_view, 1> names{"immediate"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::FilesystemMultidevs> {
    static constexpr std::array<std::string_view, 4> names{"default", "remap", "forbid", "warn"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VirtiofsCache> {
    static constexpr std::array<std::string_view, 2> names{"none", "always"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VirtiofsSandbox> {
    static constexpr std::array<std::string_view, 2> names{"namespace", "chroot"};
};
