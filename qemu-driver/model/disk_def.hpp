// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_source.hpp"

/// `<disk>`.
namespace vireo::qemu {

enum class DiskDevice { disk, cdrom, floppy, lun };
enum class DiskBus { ide, fdc, scsi, virtio, xen, usb, uml, sata, sd, none };
enum class DiskCache { default_, none, writethrough, writeback, directsync, unsafe };
enum class DiskIo { native, threads, io_uring };
enum class DiskDiscard { unmap, ignore };
enum class DetectZeroes { off, on, unmap };
enum class ErrorPolicy { default_, stop, report, ignore, enospace };
enum class Tray { closed, open };
enum class DiskModel { virtio, virtio_transitional, virtio_non_transitional };
enum class SnapshotMode { default_, no, internal, external, manual };
enum class SgioPolicy { default_, filtered, unfiltered };
enum class GeometryTranslation { default_, none, auto_, lba };

struct DiskTarget {
    std::string dev;
    /// Absent only before `fill_defaults`.
    std::optional<DiskBus> bus;
    std::optional<Tray> tray;
    std::optional<YesNo> removable;
    std::optional<uint32_t> rotation_rate;
};

/// `<driver>`; the image's format is in `DiskImage`.
struct DiskDriver {
    std::optional<std::string> name;
    std::optional<DiskCache> cache;
    std::optional<ErrorPolicy> error_policy;
    std::optional<ErrorPolicy> rerror_policy;
    std::optional<DiskIo> io;
    std::optional<OnOff> ioeventfd;
    std::optional<OnOff> event_idx;
    std::optional<OnOff> copy_on_read;
    std::optional<DiskDiscard> discard;
    std::optional<DetectZeroes> detect_zeroes;
    std::optional<uint32_t> iothread;
    std::optional<uint32_t> queues;
    std::optional<uint32_t> queue_size;
    VirtioOptions virtio;
};

struct DiskGeometry {
    uint32_t cylinders{};
    uint32_t heads{};
    uint32_t sectors{};
    std::optional<GeometryTranslation> translation;
};

/// `<iotune>`: 0 or absent is "no limit"; bytes and operations a second, lengths in seconds.
struct DiskIotune {
    std::optional<uint64_t> total_bytes_sec;
    std::optional<uint64_t> read_bytes_sec;
    std::optional<uint64_t> write_bytes_sec;
    std::optional<uint64_t> total_iops_sec;
    std::optional<uint64_t> read_iops_sec;
    std::optional<uint64_t> write_iops_sec;
    std::optional<uint64_t> total_bytes_sec_max;
    std::optional<uint64_t> read_bytes_sec_max;
    std::optional<uint64_t> write_bytes_sec_max;
    std::optional<uint64_t> total_iops_sec_max;
    std::optional<uint64_t> read_iops_sec_max;
    std::optional<uint64_t> write_iops_sec_max;
    std::optional<uint64_t> size_iops_sec;
    std::optional<std::string> group_name;
    std::optional<uint64_t> total_bytes_sec_max_length;
    std::optional<uint64_t> read_bytes_sec_max_length;
    std::optional<uint64_t> write_bytes_sec_max_length;
    std::optional<uint64_t> total_iops_sec_max_length;
    std::optional<uint64_t> read_iops_sec_max_length;
    std::optional<uint64_t> write_iops_sec_max_length;
};

struct DiskBlockIo {
    std::optional<uint32_t> logical_block_size;
    std::optional<uint32_t> physical_block_size;
};

enum class MirrorJob { copy, active_commit };
enum class MirrorReady { no, yes, abort, pivot };

/// `<mirror>` of a running guest: the image that a block job copies to.
struct DiskMirror {
    DiskImage image;
    MirrorJob job{};
    std::optional<MirrorReady> ready;
};

/// `<transient shareBacking=/>`: what is written is forgotten when the guest stops.
struct TransientDef {
    std::optional<YesNo> share_backing;
};

struct DiskDef {
    DiskDevice device{};
    std::optional<DiskModel> model;
    std::optional<SgioPolicy> sgio;
    std::optional<YesNo> rawio;
    std::optional<SnapshotMode> snapshot;
    DiskDriver driver;
    /// The image the guest sees.
    DiskImage image;
    /// `<auth>` and `<encryption>` beside `<source>`, where they stood before they moved into it;
    /// see `auth()` and `encryption()`.
    std::optional<AuthDef> outer_auth;
    std::optional<EncryptionDef> outer_encryption;
    std::optional<DiskMirror> mirror;
    DiskTarget target;
    std::optional<DiskIotune> iotune;
    std::optional<DiskGeometry> geometry;
    std::optional<DiskBlockIo> blockio;
    bool readonly{};
    bool shareable{};
    std::optional<TransientDef> transient;
    /// The Xen domain that serves it.
    std::optional<std::string> backend_domain;
    std::optional<std::string> serial;
    std::optional<std::string> wwn;
    std::optional<std::string> vendor;
    std::optional<std::string> product;
    DeviceInfo info;

    /// How to log in to the image's server, wherever it was written; null if not needed.
    const AuthDef* auth() const {
        return image.auth ? &*image.auth : outer_auth ? &*outer_auth : nullptr;
    }

    const EncryptionDef* encryption() const {
        return image.encryption   ? &*image.encryption
               : outer_encryption ? &*outer_encryption
                                  : nullptr;
    }
};

const xml::Type& describe(const DiskDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskDevice> {
    static constexpr std::array<std::string_view, 4> names{"disk", "cdrom", "floppy", "lun"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskBus> {
    static constexpr std::array<std::string_view, 10> names{
        "ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd", "none"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskCache> {
    static constexpr std::array<std::string_view, 6> names{
        "default", "none", "writethrough", "writeback", "directsync", "unsafe"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskIo> {
    static constexpr std::array<std::string_view, 3> names{"native", "threads", "io_uring"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskDiscard> {
    static constexpr std::array<std::string_view, 2> names{"unmap", "ignore"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DetectZeroes> {
    static constexpr std::array<std::string_view, 3> names{"off", "on", "unmap"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ErrorPolicy> {
    static constexpr std::array<std::string_view, 5> names{
        "default", "stop", "report", "ignore", "enospace"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::Tray> {
    static constexpr std::array<std::string_view, 2> names{"closed", "open"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskModel> {
    static constexpr std::array<std::string_view, 3> names{
        "virtio", "virtio-transitional", "virtio-non-transitional"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SnapshotMode> {
    static constexpr std::array<std::string_view, 5> names{
        "default", "no", "internal", "external", "manual"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SgioPolicy> {
    static constexpr std::array<std::string_view, 3> names{"default", "filtered", "unfiltered"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::GeometryTranslation> {
    static constexpr std::array<std::string_view, 4> names{"default", "none", "auto", "lba"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::MirrorJob> {
    static constexpr std::array<std::string_view, 2> names{"copy", "active-commit"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::MirrorReady> {
    static constexpr std::array<std::string_view, 4> names{"no", "yes", "abort", "pivot"};
};
