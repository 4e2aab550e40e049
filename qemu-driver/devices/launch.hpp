// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/devices/plan.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vireo::qemu {

/// Settings of the driver that shape a command line, with qemu.conf's names and defaults.
struct LaunchSettings {
    bool seccomp_sandbox = true;
    bool dump_guest_core = false;
    bool log_timestamp = true;
    /// Files of character devices are opened by the daemon and passed, so that QEMU needs no right
    /// to the folder; otherwise QEMU opens them.
    bool pass_chardev_files = true;
    bool vnc_tls = false;
    bool vnc_tls_x509_verify = false;
    bool vnc_sasl = false;
    bool vnc_auto_unix_socket = false; ///< where a guest may listen anywhere
    bool spice_auto_unix_socket = false;
    std::string vnc_tls_x509_cert_dir;
    std::optional<std::string> vnc_tls_x509_secret_uuid; ///< decrypts the key in that folder
    bool spice_tls = false;
    bool spice_sasl = false;
    bool spice_password = false; ///< one for all guests is set over QMP after the start
    std::string spice_tls_x509_cert_dir;
    bool chardev_tls = false;
    bool chardev_tls_x509_verify = false;
    std::string chardev_tls_x509_cert_dir;
    std::optional<std::string> chardev_tls_x509_secret_uuid;
    std::string nbd_tls_x509_cert_dir;
    std::optional<std::string> nbd_tls_x509_secret_uuid;
    unsigned gluster_debug_level = 4;
};

/// A mounted hugetlbfs and the guest's folder in it.
struct HugePageDir {
    uint64_t size_kib = 0;
    std::string path;
    bool is_default = false;
};

/// A secret as QEMU takes it: encrypted with the guest's master key, in base64.
struct SealedSecret {
    std::string data;
    std::string iv;
};

/// The secrets that disks and certificates name, fetched before a plan is made. Where a function is
/// empty there is no store of secrets, and what needs one is refused.
struct SecretFacts {
    std::function<std::string(const SecretReference&)> value;
    std::function<SealedSecret(std::string_view)> seal;
};

/// What a start chose for a SCSI device of the host.
struct ScsiHostNode {
    uint32_t number = 0; ///< among the block nodes: after the images', never used twice
    std::string generic; ///< `/dev/sg0`; empty for iSCSI
};

/// What a command line needs besides the definition and QEMU's capabilities.
struct LaunchFacts {
    LaunchSettings settings;
    std::string private_dir;        ///< the guest's own folder: sockets, keys
    std::string channel_dir;        ///< where channels without a path get their socket
    std::string memory_backing_dir; ///< the guest's folder for file-backed memory
    std::string passt_prefix;       ///< of the sockets of `passt`: `PREFIX-ALIAS.socket`
    std::string dbus_socket; ///< of the bus that graphics type='dbus' uses, where it names none
    std::vector<HugePageDir> huge_pages;
    std::optional<std::string> master_key_file; ///< key of the secrets, where there is one
    SecretFacts secrets;
    std::string emulator;                    ///< used when the definition names none
    std::optional<std::string> numad_advice; ///< host nodes for placement='auto'
    std::set<uint32_t> numa_nodes;           ///< of the host; empty: not known
    int64_t now_s = 0;                       ///< seconds since the epoch
    int64_t utc_offset_s = 0;                ///< local time minus UTC
    bool start_paused = true;                ///< vCPUs are started over QMP
    std::optional<std::string> incoming;     ///< -incoming's URI
    std::set<std::string> cdrom_drives;      ///< block devices that are CD-ROM drives of the host
    std::optional<std::string> render_node;  ///< the host's first DRM render node
    /// How many descriptors a client gave for each `fdgroup`.
    std::map<std::string, unsigned> fd_groups;
    /// Of each `<hostdev type='scsi'>`, by its alias.
    std::map<std::string, ScsiHostNode> scsi_nodes;
    std::set<TpmVersion> tpm_versions;     ///< that the host's TPM emulator plays
    std::optional<std::string> tpm_socket; ///< the guest's TPM emulator listens there
};

/// What a passed descriptor must be. The daemon opens it before it runs QEMU.
enum class DescriptorKind {
    monitor,         ///< a listening UNIX socket at `path`: the daemon connects to it for QMP
    unix_listen,     ///< a listening UNIX socket at `path`, mode 0660
    file_append,     ///< `path` opened for writing at its end, created 0600
    file_truncate,   ///< the same, emptied first
    file_read_write, ///< `path` opened for both
    tpm_cancel,      ///< the file that cancels a command of the TPM at `path`
    fd_group,        ///< the descriptor number `index` that a client gave for the group `name`
    tap,             ///< a tap device `name` (made when empty or absent), member of bridge `path`
    macvtap,         ///< a macvtap device of the host's device `path`, in the mode `mode`
    vhost_net,       ///< /dev/vhost-net, or `path`
    vhost_scsi,      ///< /dev/vhost-scsi
    vhost_vdpa,      ///< the vDPA device `path`
    vhost_vsock,     ///< /dev/vhost-vsock with the guest's CID `index` set
    vhost_user_gpu,  ///< one end of a socket whose other end the GPU helper `path` has
};

struct Descriptor {
    DescriptorKind kind{};
    std::string path;
    std::string name;  ///< tap: the host's device name, empty: choose one
    std::string owner; ///< alias of the device that it is for
    unsigned index = 0;
    std::optional<DirectMode> mode; ///< macvtap
    bool virtio = false;            ///< tap: open with IFF_VNET_HDR
    bool multi_queue = false;       ///< tap: open with IFF_MULTI_QUEUE
    int number = -1;                ///< the number that QEMU finds it under
};

/// Everything that a start needs: run `argv` with `environment` added, and each descriptor under
/// its number.
struct LaunchRequest {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> environment;
    std::vector<Descriptor> descriptors;
};

/// Gives every image of every disk its number in node names (`DiskImage::index`), where it has
/// none, as a guest's definition must have before it starts: hot-plug and block jobs refer to them.
/// Numbers of a running guest are never used twice: new ones start above `used`. Gives the
/// highest number back.
uint32_t assign_node_numbers(DomainDef& def, uint32_t used = 0);
/// The highest number that an image of `def` has; 0 where none has one.
uint32_t last_node_number(const DomainDef& def);

/// Builds QEMU's command line for a definition that went through the model's passes (defaults,
/// addresses, aliases, validation) and `assign_node_numbers`. Looks nothing up on the host.
/// Throws config_unsupported, naming the element, for what this QEMU or Vireo cannot do.
LaunchRequest
build_launch(const DomainDef& def, const QemuCapabilities& caps, const LaunchFacts& facts);

/// The arguments alone, the binary's path first.
std::vector<std::string>
command_line(const DomainDef& def, const QemuCapabilities& caps, const LaunchFacts& facts);

} // namespace vireo::qemu
