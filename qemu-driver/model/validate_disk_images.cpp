// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

namespace vireo::qemu {

namespace {

void check_auth(const DiskDef& disk, const NetworkSource& network, const AuthDef& auth) {
    const xml::Where where = disk.info.where;
    switch (network.protocol) {
    case NetworkProtocol::nbd:
    case NetworkProtocol::sheepdog:
    case NetworkProtocol::gluster:
    case NetworkProtocol::tftp:
    case NetworkProtocol::vxhs:
    case NetworkProtocol::nfs:
        refuse(where,
               "auth",
               "protocol '{}' has no authentication; remove the element",
               name_of(network.protocol));
    default:
        break;
    }
    const std::string type = auth.secret.type.value_or("");
    const std::string_view expected = network.protocol == NetworkProtocol::iscsi ? "iscsi"
                                      : network.protocol == NetworkProtocol::rbd ? "ceph"
                                                                                 : "";
    if (!expected.empty() && type != expected) {
        refuse(where,
               "secret",
               "type='{}': protocol '{}' needs a secret of type '{}'",
               type,
               name_of(network.protocol),
               expected);
    }
    if (auth.secret.uuid.has_value() == auth.secret.usage.has_value()) {
        refuse(where, "secret", "name the secret by either uuid= or usage=");
    }
}

void check_encryption(const DiskDef& disk, const DiskImage& image, const EncryptionDef& e) {
    const xml::Where where = disk.info.where;
    const auto* network = std::get_if<NetworkSource>(&image.source);
    const bool rbd = network != nullptr && network->protocol == NetworkProtocol::rbd;
    if (e.cipher) {
        refuse(where, "cipher", "it is what a new volume is made with; a disk's is in its header");
    }
    if (e.engine == EncryptionEngine::librbd && !rbd) {
        refuse(where, "encryption", "engine='librbd' is for disks of protocol 'rbd'");
    }
    const bool librbd = e.engine == EncryptionEngine::librbd;
    if ((e.format == EncryptionFormat::luks2 || e.format == EncryptionFormat::luks_any) &&
        !librbd) {
        refuse(where,
               "encryption",
               "format='{}' needs engine='librbd'; QEMU's own engine has 'luks'",
               name_of(e.format));
    }
    if (e.format == EncryptionFormat::luks && e.secrets.empty()) {
        refuse(where, "encryption", "format='luks' needs a <secret type='passphrase'>");
    }
}

void check_image(const DiskDef& disk, const DiskImage& image) {
    const xml::Where where = disk.info.where;
    if (const auto* network = std::get_if<NetworkSource>(&image.source)) {
        for (const SourceHost& host : network->hosts) {
            if (host.transport == HostTransport::unix && !host.socket) {
                refuse(where, "host", "transport='unix' needs socket=");
            }
            if (host.transport != HostTransport::unix && host.socket) {
                refuse(where, "host", "socket='{}' needs transport='unix'", *host.socket);
            }
            if (host.transport.value_or(HostTransport::tcp) != HostTransport::unix && !host.name) {
                refuse(where, "host", "it needs name=, the server's name or address");
            }
        }
        if (network->protocol != NetworkProtocol::rbd &&
            (network->snapshot || network->config_file)) {
            refuse(where,
                   network->snapshot ? "snapshot" : "config",
                   "it is for disks of protocol 'rbd', not '{}'",
                   name_of(network->protocol));
        }
        if (image.auth) {
            check_auth(disk, *network, *image.auth);
        }
    }
    if (const auto* nvme = std::get_if<NvmeSource>(&image.source);
        nvme != nullptr && nvme->namespace_id == 0) {
        refuse(where, "source", "namespace='0': namespaces of NVMe controllers start at 1");
    }
    if (image.encryption) {
        check_encryption(disk, image, *image.encryption);
    }
}

} // namespace

void validate_disk_images(const DomainDef& def) {
    check_each(def.devices.disks, [&](const DiskDef& disk) {
        const xml::Where where = disk.info.where;
        if (disk.image.auth && disk.outer_auth) {
            refuse(where, "auth", "there is one in <source> already; keep that");
        }
        if (disk.image.encryption && disk.outer_encryption) {
            refuse(where, "encryption", "there is one in <source> already; keep that");
        }
        for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
            check_image(disk, *image);
        }
        if (const auto* network = std::get_if<NetworkSource>(&disk.image.source);
            network != nullptr && disk.outer_auth) {
            check_auth(disk, *network, *disk.outer_auth);
        }
        if (disk.outer_encryption) {
            check_encryption(disk, disk.image, *disk.outer_encryption);
        }
    });
}

} // namespace vireo::qemu
