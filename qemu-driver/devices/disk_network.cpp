// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"

#include <fmt/format.h>

#include <charconv>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const NetworkSource& source, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "disk source protocol '{}': {}",
                name_of(source.protocol),
                what);
}

/// The port where the document gives none. Source: IANA's registry, and each server's manual.
const char* default_port(NetworkProtocol protocol) {
    switch (protocol) {
    case NetworkProtocol::nbd:
        return "10809";
    case NetworkProtocol::gluster:
        return "24007";
    case NetworkProtocol::iscsi:
        return "3260";
    case NetworkProtocol::http:
        return "80";
    case NetworkProtocol::https:
        return "443";
    case NetworkProtocol::ftp:
        return "21";
    case NetworkProtocol::ftps:
        return "990";
    case NetworkProtocol::ssh:
        return "22";
    default:
        return "0"; // the client's library knows
    }
}

std::string host_of(const NetworkSource& source, const SourceHost& host) {
    if (!host.name) {
        refuse(source, "a <host> needs a name");
    }
    return *host.name;
}

std::string port_of(const NetworkSource& source, const SourceHost& host) {
    return host.port.value_or(default_port(source.protocol));
}

const SourceHost& only_host(const NetworkSource& source) {
    if (source.hosts.size() != 1) {
        refuse(source, "exactly one <host> is needed");
    }
    return source.hosts.front();
}

bool is_unix(const SourceHost& host) {
    return host.transport == HostTransport::unix;
}

/// A server as QEMU's SocketAddress.
json socket_address(const NetworkSource& source, const SourceHost& host) {
    json address = json::object();
    if (is_unix(host)) {
        address["type"] = "unix";
        address["path"] = host.socket.value_or("");
    } else {
        address["type"] = "inet";
        address["host"] = host_of(source, host);
        address["port"] = port_of(source, host);
    }
    return address;
}

std::string host_and_port(const NetworkSource& source, const SourceHost& host) {
    const std::string name = host_of(source, host);
    const std::string port = port_of(source, host);
    return name.find(':') == std::string::npos ? fmt::format("{}:{}", name, port)
                                               : fmt::format("[{}]:{}", name, port);
}

json node_of(const char* driver) {
    json node = json::object();
    node["driver"] = driver;
    return node;
}

json nbd(const NetworkSource& source, const NodeNames& names) {
    json node = node_of("nbd");
    node["server"] = socket_address(source, only_host(source));
    if (source.name) {
        node["export"] = *source.name;
    }
    if (source.tls == YesNo::yes) {
        node["tls-creds"] = names.tls_credentials;
    }
    if (source.tls_hostname) {
        node["tls-hostname"] = *source.tls_hostname;
    }
    if (source.reconnect && source.reconnect->timeout_s) {
        node["reconnect-delay"] = *source.reconnect->timeout_s;
    }
    return node;
}

json gluster(const PlanContext& context, const NetworkSource& source) {
    const std::string name = source.name.value_or("");
    const auto slash = name.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == name.size()) {
        refuse(source, "the name must be VOLUME/PATH");
    }
    json node = node_of("gluster");
    node["volume"] = name.substr(0, slash);
    node["path"] = name.substr(slash + 1);
    if (context.facts.settings.gluster_debug_level != 0) {
        node["debug"] = context.facts.settings.gluster_debug_level;
    }
    for (const SourceHost& host : source.hosts) {
        node["server"].push_back(socket_address(source, host));
    }
    return node;
}

json rbd_encryption(const NetworkSource& source,
                    const EncryptionDef& encryption,
                    const NodeNames& names) {
    if (encryption.format != EncryptionFormat::luks &&
        encryption.format != EncryptionFormat::luks2) {
        refuse(source,
               fmt::format("encryption format '{}' is not one that librbd decrypts",
                           name_of(encryption.format)));
    }
    if (encryption.secrets.size() != 1) {
        refuse(source, "encryption with several secrets is not supported");
    }
    json node = json::object();
    node["format"] = name_of(encryption.format);
    node["key-secret"] = names.encryption_secret;
    return node;
}

void rbd_login(const DiskImage& image, const NodeNames& names, json& node) {
    if (!image.auth) {
        return;
    }
    node["user"] = image.auth->username;
    // The server may still run without authentication.
    node["auth-client-required"] = {"cephx", "none"};
    node["key-secret"] = names.auth_secret;
}

json rbd(const NetworkSource& source, const DiskImage& image, const NodeNames& names) {
    const std::string name = source.name.value_or("");
    const auto slash = name.find('/');
    if (slash == std::string::npos) {
        refuse(source, "the name must be POOL/IMAGE");
    }
    json node = node_of("rbd");
    node["pool"] = name.substr(0, slash);
    std::string path = name.substr(slash + 1);
    if (const auto second = path.find('/'); second != std::string::npos) {
        node["namespace"] = path.substr(0, second);
        path = path.substr(second + 1);
    }
    node["image"] = path;
    if (source.snapshot) {
        node["snapshot"] = *source.snapshot;
    }
    if (source.config_file) {
        node["conf"] = *source.config_file;
    }
    for (const SourceHost& host : source.hosts) {
        json server = json::object();
        server["host"] = host_of(source, host);
        server["port"] = port_of(source, host);
        node["server"].push_back(std::move(server));
    }
    if (image.encryption && image.encryption->engine == EncryptionEngine::librbd) {
        node["encrypt"] = rbd_encryption(source, *image.encryption, names);
    }
    rbd_login(image, names, node);
    return node;
}

json ssh(const NetworkSource& source) {
    json node = node_of("ssh");
    node["path"] = source.name.value_or("");
    const SourceHost& host = only_host(source);
    node["server"]["host"] = host_of(source, host);
    node["server"]["port"] = port_of(source, host);
    return node;
}

json iscsi(const NetworkSource& source, const DiskImage& image, const NodeNames& names) {
    const SourceHost& host = only_host(source);
    const std::string name = source.name.value_or("");
    const auto slash = name.find('/');
    uint32_t lun = 0;
    if (slash != std::string::npos) {
        const char* end = name.data() + name.size();
        const auto parsed = std::from_chars(name.data() + slash + 1, end, lun);
        if (parsed.ec != std::errc() || parsed.ptr != end) {
            refuse(source, fmt::format("'{}' must end in a LUN's number", name));
        }
    }
    json node = node_of("iscsi");
    node["portal"] = host_and_port(source, host);
    node["target"] = name.substr(0, slash);
    node["lun"] = lun;
    node["transport"] = host.transport == HostTransport::rdma ? "iser" : "tcp";
    if (image.auth) {
        node["user"] = image.auth->username;
        node["password-secret"] = names.auth_secret;
    }
    if (source.initiator_iqn) {
        node["initiator-name"] = *source.initiator_iqn;
    }
    return node;
}

json curl(const NetworkSource& source, const DiskImage& image, const NodeNames& names) {
    const auto scheme = name_of(source.protocol);
    json node = json::object();
    node["driver"] = scheme;
    std::string path = source.name.value_or("");
    if (!path.starts_with('/')) {
        path.insert(path.begin(), '/');
    }
    node["url"] = fmt::format("{}://{}{}{}{}",
                              scheme,
                              host_and_port(source, only_host(source)),
                              path,
                              source.query ? "?" : "",
                              source.query.value_or(""));
    if (image.auth) {
        node["username"] = image.auth->username;
        node["password-secret"] = names.auth_secret;
    }
    if (!source.cookies.empty()) {
        node["cookie-secret"] = names.cookie_secret;
    }
    if (source.ssl_verify) {
        node["sslverify"] = *source.ssl_verify == YesNo::yes;
    }
    if (source.readahead_bytes) {
        node["readahead"] = *source.readahead_bytes;
    }
    if (source.timeout_s) {
        node["timeout"] = *source.timeout_s;
    }
    return node;
}

uint32_t numeric_id(const NetworkSource& source, const std::string& text) {
    // A leading '+' marks a number for programs that would look names up.
    const std::string_view digits = std::string_view(text).substr(text.starts_with('+') ? 1 : 0);
    uint32_t id = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
        refuse(source, fmt::format("identity '{}' must be a number", text));
    }
    return id;
}

json nfs(const NetworkSource& source) {
    json node = node_of("nfs");
    node["server"]["host"] = host_of(source, only_host(source));
    node["server"]["type"] = "inet";
    const std::string path = source.name.value_or("");
    node["path"] = path.starts_with('/') ? path : "/" + path;
    if (source.nfs_user) {
        node["user"] = numeric_id(source, *source.nfs_user);
    }
    if (source.nfs_group) {
        node["group"] = numeric_id(source, *source.nfs_group);
    }
    return node;
}

} // namespace

json network_source(const PlanContext& context, const DiskImage& image, const NodeNames& names) {
    const auto& source = std::get<NetworkSource>(image.source);
    const auto driver = name_of(source.protocol);
    if (!context.caps.block_drivers.contains(driver)) {
        refuse(source, fmt::format("'{}' cannot do it", context.caps.binary));
    }
    switch (source.protocol) {
    case NetworkProtocol::nbd:
        return nbd(source, names);
    case NetworkProtocol::gluster:
        return gluster(context, source);
    case NetworkProtocol::rbd:
        return rbd(source, image, names);
    case NetworkProtocol::iscsi:
        return iscsi(source, image, names);
    case NetworkProtocol::http:
    case NetworkProtocol::https:
    case NetworkProtocol::ftp:
    case NetworkProtocol::ftps:
        return curl(source, image, names);
    case NetworkProtocol::nfs:
        return nfs(source);
    case NetworkProtocol::ssh:
        return ssh(source);
    default:
        refuse(source, "is not one that QEMU knows");
    }
}

} // namespace vireo::qemu
