// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/environment_storage.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/pool_volumes.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace vireo::qemu {

namespace {

using nlohmann::json;

bool names(const json& list, const std::string& name) {
    return std::ranges::find(list, json(name)) != list.end();
}

std::string read_text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return std::move(text).str();
}

/// The environment's volumes say what they are: TYPE+NAME.
VolumeFacts find_volume(const json& pools, const VolumeSource& wanted) {
    const std::string path =
        pools.at("definitions").get<std::string>() + "/" + wanted.pool + ".xml";
    if (names(pools.at("inactive"), wanted.pool) || !std::ifstream(path)) {
        throw Error(ErrorCode::config_unsupported, "storage pool '{}' is not active", wanted.pool);
    }
    if (names(pools.at("missingVolumes"), wanted.volume)) {
        throw Error(ErrorCode::config_unsupported,
                    "storage pool '{}' has no volume '{}'",
                    wanted.pool,
                    wanted.volume);
    }
    VolumeFacts facts = facts_of_pool(read_text(path));
    const auto plus = wanted.volume.find('+');
    const std::string kind = plus == std::string::npos ? "block" : wanted.volume.substr(0, plus);
    facts.kind = xml::enum_of<VolumeKind>(kind).value_or(VolumeKind::block);
    facts.name = plus == std::string::npos ? wanted.volume : wanted.volume.substr(plus + 1);
    facts.path = "/some/" + kind + "/device/" + facts.name;
    return facts;
}

} // namespace

void resolve_volumes(const json& environment, DomainDef& def) {
    const json& pools = environment.at("storagePools");
    for (DiskDef& disk : def.devices.disks) {
        for (DiskImage* image = &disk.image; image != nullptr;
             image = image->backing ? &*image->backing : nullptr) {
            if (const auto* wanted = std::get_if<VolumeSource>(&image->source)) {
                resolve_volume(disk, *image, find_volume(pools, *wanted));
            }
        }
    }
}

} // namespace vireo::qemu
