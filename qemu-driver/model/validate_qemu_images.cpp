// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <initializer_list>

namespace vireo::qemu {

namespace {

void check_format(const DiskDef& disk, const DiskImage& image) {
    const xml::Where where = disk.info.where;
    const DiskFormat format = image.format.value_or(DiskFormat::raw);
    switch (format) {
    case DiskFormat::iso:
        refuse(where, "driver", "type='iso' is a raw image; write type='raw'");
    case DiskFormat::dir:
        refuse(where, "driver", "type='dir' is not a format; use <disk type='dir'>");
    case DiskFormat::vhd:
    case DiskFormat::ploop:
    case DiskFormat::cow:
        refuse(where,
               "driver",
               "type='{}' is not a format that QEMU reads; convert the image",
               name_of(format));
    case DiskFormat::fat:
        if (image.type() != DiskType::dir) {
            refuse(where, "driver", "type='fat' shows a folder as a disk; use <disk type='dir'>");
        }
        break;
    default:
        break;
    }
    if (image.type() == DiskType::dir && format == DiskFormat::qcow2) {
        refuse(where, "driver", "type='qcow2': a folder is shown as a FAT disk; write type='fat'");
    }
    if (image.metadata_cache_bytes.value_or(0) != 0 && format != DiskFormat::qcow2) {
        refuse(
            where, "metadata_cache", "it is for images of type='qcow2', not '{}'", name_of(format));
    }
}

void check_encrypted_format(const DiskDef& disk) {
    const DiskFormat format = disk.image.format.value_or(DiskFormat::raw);
    const EncryptionDef* encryption = disk.encryption();
    if (encryption != nullptr && encryption->engine != EncryptionEngine::librbd &&
        format != DiskFormat::raw && format != DiskFormat::qcow2 && format != DiskFormat::luks) {
        refuse(disk.info.where,
               "encryption",
               "images of type='{}' cannot be encrypted; 'raw' and 'qcow2' can",
               name_of(format));
    }
}

bool is_one_of(NetworkProtocol protocol, std::initializer_list<NetworkProtocol> list) {
    return std::ranges::find(list, protocol) != list.end();
}

/// Options of QEMU's block drivers that only some protocols have.
void check_protocol(const DiskDef& disk, const NetworkSource& network) {
    using P = NetworkProtocol;
    const xml::Where where = disk.info.where;
    const P protocol = network.protocol;
    if (protocol == P::tftp) {
        refuse(where, "source", "protocol='{}' is not one of QEMU's", name_of(protocol));
    }
    const bool http = is_one_of(protocol, {P::http, P::https});
    const bool curl = http || is_one_of(protocol, {P::ftp, P::ftps});
    const auto only = [&](bool asked, bool there, std::string_view element, std::string_view with) {
        if (asked && !there) {
            refuse(where, element, "it is for protocol {}, not '{}'", with, name_of(protocol));
        }
    };
    only(network.ssl_verify.has_value(),
         is_one_of(protocol, {P::https, P::ftps}),
         "ssl",
         "'https' and 'ftps'");
    only(!network.cookies.empty(), http, "cookies", "'http' and 'https'");
    only(network.query.has_value(), http, "source", "'http' and 'https' where there is query=");
    only(network.readahead_bytes.value_or(0) != 0, curl, "readahead", "'http' and 'ftp'");
    only(network.timeout_s.value_or(0) != 0, curl, "timeout", "'http' and 'ftp'");
    only(network.tls_hostname.has_value(),
         protocol == P::nbd,
         "source",
         "'nbd' where there is tlsHostname=");
    if (network.tls_hostname && network.tls != YesNo::yes) {
        refuse(where, "source", "tlsHostname='{}' needs tls='yes'", *network.tls_hostname);
    }
    for (const CookieDef& cookie : network.cookies) {
        if (cookie.name.empty() || cookie.name.find_first_of("=; \t\r\n\",") != std::string::npos) {
            refuse(where, "cookie", "name='{}' is no name for a cookie", cookie.name);
        }
        std::string_view value = cookie.value;
        if (value.size() > 1 && value.starts_with('"') && value.ends_with('"')) {
            value = value.substr(1, value.size() - 2);
        }
        if (value.find_first_of("; \t\r\n\",\\") != std::string_view::npos) {
            refuse(where, "cookie", "the value of '{}' may not go into a header", cookie.name);
        }
    }
}

} // namespace

void validate_qemu_images(const DiskDef& disk) {
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        check_format(disk, *image);
        if (const auto* network = std::get_if<NetworkSource>(&image->source)) {
            check_protocol(disk, *network);
        }
    }
    check_encrypted_format(disk);
}

} // namespace vireo::qemu
