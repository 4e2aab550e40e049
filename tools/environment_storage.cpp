// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/environment_storage.hpp"

#include "libshared/error.hpp"
#include "libshared/xml/document.hpp"
#include "qemu-driver/devices/resolve_volume.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace vireo::qemu {

namespace {

using nlohmann::json;

bool names(const json& list, const std::string& name) {
    return std::ranges::find(list, json(name)) != list.end();
}

std::string attribute(const xml::Node& node, const char* name) {
    return std::string(node.attribute(name).value_or(""));
}

/// What a pool's document says of where its volumes are.
VolumeFacts read_pool(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    const xml::Document document = xml::Document::parse(text.str());
    const xml::Node root = document.root();
    VolumeFacts facts;
    facts.pool = xml::enum_of<PoolKind>(attribute(root, "type")).value_or(PoolKind::dir);
    const auto source = root.child("source");
    for (auto node = source ? source->first() : std::nullopt; node; node = node->next()) {
        if (node->name() == "host") {
            SourceHost host;
            host.name = attribute(*node, "name");
            facts.hosts.push_back(std::move(host));
        } else if (node->name() == "device") {
            facts.device = attribute(*node, "path");
        } else if (node->name() == "name") {
            facts.gluster_volume = node->text();
        } else if (node->name() == "auth") {
            AuthDef auth;
            auth.username = attribute(*node, "username");
            if (const auto secret = node->child("secret")) {
                auth.secret.uuid = attribute(*secret, "uuid");
            }
            facts.auth = std::move(auth);
        }
    }
    return facts;
}

} // namespace

void resolve_volumes(const json& environment, DomainDef& def) {
    const json& pools = environment.at("storagePools");
    for (DiskDef& disk : def.devices.disks) {
        const auto* wanted = std::get_if<VolumeSource>(&disk.image.source);
        if (!wanted) {
            continue;
        }
        const std::string path =
            pools.at("definitions").get<std::string>() + "/" + wanted->pool + ".xml";
        if (names(pools.at("inactive"), wanted->pool) || !std::ifstream(path)) {
            throw Error(
                ErrorCode::config_unsupported, "storage pool '{}' is not active", wanted->pool);
        }
        if (names(pools.at("missingVolumes"), wanted->volume)) {
            throw Error(ErrorCode::config_unsupported,
                        "storage pool '{}' has no volume '{}'",
                        wanted->pool,
                        wanted->volume);
        }
        VolumeFacts facts = read_pool(path);
        // The environment's volumes say what they are: TYPE+NAME.
        const auto plus = wanted->volume.find('+');
        const std::string kind =
            plus == std::string::npos ? "block" : wanted->volume.substr(0, plus);
        facts.kind = xml::enum_of<VolumeKind>(kind).value_or(VolumeKind::block);
        facts.name = plus == std::string::npos ? wanted->volume : wanted->volume.substr(plus + 1);
        facts.path = "/some/" + kind + "/device/" + facts.name;
        resolve_volume(disk, facts);
    }
}

} // namespace vireo::qemu
