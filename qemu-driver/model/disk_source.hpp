// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"
#include "qemu-driver/model/reconnect_def.hpp"
#include "qemu-driver/model/seclabel_def.hpp"

/// Where the bytes of a disk image are: one struct per `<disk type=…>`, and what any image carries.
namespace vireo::qemu {

enum class DiskFormat {
    none,
    raw,
    dir,
    bochs,
    cloop,
    dmg,
    iso,
    vpc,
    vdi,
    fat,
    vhd,
    ploop,
    luks,
    cow,
    qcow,
    qcow2,
    qed,
    vmdk
};

/// `<host name= port= transport= socket=/>` of a network image.
enum class HostTransport { tcp, unix, rdma };

struct SourceHost {
    std::optional<HostTransport> transport;
    std::optional<std::string> name;
    std::optional<std::string> port;
    std::optional<std::string> socket;
};

/// `<secret type= usage=|uuid=/>`: how a secret is found. `type` is what it is used for.
struct SecretReference {
    std::optional<std::string> type;
    std::optional<std::string> uuid;
    std::optional<std::string> usage;
};

struct AuthDef {
    std::string username;
    SecretReference secret;
};

enum class EncryptionFormat { default_, qcow, luks, luks2, luks_any };
enum class EncryptionEngine { qemu, librbd };

struct CipherDef {
    std::string name;
    uint32_t size{};
    std::optional<std::string> mode;
    std::optional<std::string> hash;
};

struct IvgenDef {
    std::string name;
    std::optional<std::string> hash;
};

struct EncryptionDef {
    EncryptionFormat format{};
    std::optional<EncryptionEngine> engine;
    std::vector<SecretReference> secrets;
    std::optional<CipherDef> cipher;
    std::optional<IvgenDef> ivgen;
};

enum class HelperTransport { unix_socket };
enum class HelperMode { client };

/// `<reservations managed=>` (SCSI persistent reservations through a helper's socket).
struct ReservationsDef {
    std::optional<YesNo> managed;
    /// Socket of a helper that someone else runs.
    std::optional<HelperTransport> transport;
    std::optional<std::string> path;
    std::optional<HelperMode> mode;
};

enum class SliceType { storage };

struct SliceDef {
    SliceType type{};
    uint64_t offset_bytes{};
    uint64_t size_bytes{};
};

struct CookieDef {
    std::string name;
    std::string value;
};

struct FileSource {
    /// Absent: a drive without a medium.
    std::optional<std::string> path;
    std::optional<std::string> fdgroup;
};

struct BlockSource {
    std::optional<std::string> path;
};

struct DirSource {
    std::optional<std::string> path;
};

enum class NetworkProtocol {
    nbd,
    rbd,
    sheepdog,
    gluster,
    iscsi,
    http,
    https,
    ftp,
    ftps,
    tftp,
    ssh,
    vxhs,
    nfs
};

struct NetworkSource {
    NetworkProtocol protocol{};
    std::optional<std::string> name;
    /// `?…` of an HTTP URL.
    std::optional<std::string> query;
    std::vector<SourceHost> hosts;
    std::optional<YesNo> tls;
    std::optional<std::string> tls_hostname;
    std::optional<std::string> snapshot;
    std::optional<std::string> config_file;
    std::optional<std::string> initiator_iqn;
    std::optional<YesNo> ssl_verify;
    std::vector<CookieDef> cookies;
    std::optional<uint64_t> readahead_bytes;
    std::optional<uint64_t> timeout_s;
    std::optional<ReconnectDef> reconnect;
    /// NFS: `<identity user= group=/>`; SSH: `username`, `agent_socket`; `knownHosts path`.
    std::optional<std::string> nfs_user;
    std::optional<std::string> nfs_group;
};

enum class PoolSourceMode { host, direct };

/// A volume of a storage pool; it is resolved to another source before the guest starts.
struct VolumeSource {
    std::string pool;
    std::string volume;
    std::optional<PoolSourceMode> mode;
};

enum class NvmeTransport { pci };

/// A namespace of a PCI NVMe controller through QEMU's own driver.
struct NvmeSource {
    PciAddress controller;
    NvmeTransport transport{};
    uint32_t namespace_id{};
    std::optional<YesNo> managed;
};

enum class VhostUserTransport { unix_socket };

struct VhostUserSource {
    VhostUserTransport transport{};
    std::string path;
    std::optional<ReconnectDef> reconnect;
};

struct VhostVdpaSource {
    std::string device;
};

/// In the order of `DiskType`.
using DiskSource = std::variant<FileSource,
                                BlockSource,
                                DirSource,
                                NetworkSource,
                                VolumeSource,
                                NvmeSource,
                                VhostUserSource,
                                VhostVdpaSource>;

enum class DiskType { file, block, dir, network, volume, nvme, vhostuser, vhostvdpa };

enum class StartupPolicy { default_, mandatory, requisite, optional };

/// One image of a disk's chain.
struct DiskImage {
    DiskSource source;
    /// Absent only before `fill_defaults` (for a backing image: until it is probed, "raw" if not).
    std::optional<DiskFormat> format;
    /// `index=`, the number in node names of a running guest.
    std::optional<uint32_t> index;
    std::optional<StartupPolicy> startup_policy;
    std::vector<SeclabelOverride> seclabels;
    std::optional<AuthDef> auth;
    std::optional<EncryptionDef> encryption;
    std::optional<ReservationsDef> reservations;
    std::vector<SliceDef> slices;
    /// `<metadata_cache><max_size>` of qcow2.
    std::optional<uint64_t> metadata_cache_bytes;
    /// What it is based on; copied with it. None: not said, the image's own header is followed when
    /// the guest starts. An empty image: the document says that the chain ends here.
    xml::Box<DiskImage> backing;

    DiskType type() const { return static_cast<DiskType>(source.index()); }

    /// No medium: a file, block or directory without a path (an ejected CD-ROM).
    bool is_empty() const;

    /// The image this one is based on, or null if none is named.
    const DiskImage* base() const { return backing && !backing->is_empty() ? &*backing : nullptr; }
};

const xml::Type& describe(const SourceHost*);
const xml::Type& describe(const AuthDef*);
const xml::Type& describe(const EncryptionDef*);
const xml::Type& describe(const NetworkSource*);
/// As `<backingStore>`: `type=`, `<format>`, `<source>`, and what it is based on.
const xml::Type& describe(const DiskImage*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskFormat> {
    static constexpr std::array<std::string_view, 18> names{"none",
                                                            "raw",
                                                            "dir",
                                                            "bochs",
                                                            "cloop",
                                                            "dmg",
                                                            "iso",
                                                            "vpc",
                                                            "vdi",
                                                            "fat",
                                                            "vhd",
                                                            "ploop",
                                                            "luks",
                                                            "cow",
                                                            "qcow",
                                                            "qcow2",
                                                            "qed",
                                                            "vmdk"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HostTransport> {
    static constexpr std::array<std::string_view, 3> names{"tcp", "unix", "rdma"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::EncryptionFormat> {
    static constexpr std::array<std::string_view, 5> names{
        "default", "qcow", "luks", "luks2", "luks-any"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::EncryptionEngine> {
    static constexpr std::array<std::string_view, 2> names{"qemu", "librbd"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SliceType> {
    static constexpr std::array<std::string_view, 1> names{"storage"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::NetworkProtocol> {
    static constexpr std::array<std::string_view, 13> names{"nbd",
                                                            "rbd",
                                                            "sheepdog",
                                                            "gluster",
                                                            "iscsi",
                                                            "http",
                                                            "https",
                                                            "ftp",
                                                            "ftps",
                                                            "tftp",
                                                            "ssh",
                                                            "vxhs",
                                                            "nfs"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PoolSourceMode> {
    static constexpr std::array<std::string_view, 2> names{"host", "direct"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DiskType> {
    static constexpr std::array<std::string_view, 8> names{
        "file", "block", "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::StartupPolicy> {
    static constexpr std::array<std::string_view, 4> names{
        "default", "mandatory", "requisite", "optional"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::NvmeTransport> {
    static constexpr std::array<std::string_view, 1> names{"pci"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VhostUserTransport> {
    static constexpr std::array<std::string_view, 1> names{"unix"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HelperTransport> {
    static constexpr std::array<std::string_view, 1> names{"unix"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HelperMode> {
    static constexpr std::array<std::string_view, 1> names{"client"};
};
