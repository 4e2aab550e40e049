// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/pool_volumes.hpp"

#include "libshared/xml/document.hpp"
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/storaged.hpp"

namespace vireo::qemu {

namespace {

constexpr const char* pool_interface = "org.libvirt.StoragePool";
constexpr const char* volume_interface = "org.libvirt.StorageVol";

std::string word(const xml::Node& node, const char* name) {
    return std::string(node.attribute(name).value_or(""));
}

Task<std::string>
document_of(DriverCaller::ConnectionPtr storaged, std::string path, std::string interface) {
    const std::string member = "GetXMLDesc";
    const std::uint32_t flags = 0;
    const bus::Message reply =
        co_await driver_call(storaged, storaged_limit, path, interface, member, flags);
    co_return bus::read<std::string>(reply.get());
}

Task<VolumeFacts> ask_storaged(DriverCaller::ConnectionPtr storaged, VolumeSource wanted) {
    const bus::ObjectPath pool = co_await look_up(
        storaged, storaged_path, storaged_interface, "StoragePoolLookupByName", wanted.pool);
    const bool active =
        co_await driver_property<bool>(storaged, storaged_limit, pool, pool_interface, "Active");
    if (!active) {
        throw Error(ErrorCode::config_unsupported,
                    "storage pool '{}' is not active; start it first",
                    wanted.pool);
    }
    const bus::ObjectPath volume =
        co_await look_up(storaged, pool, pool_interface, "StorageVolLookupByName", wanted.volume);
    const std::string pool_text = co_await document_of(storaged, pool, pool_interface);
    const std::string volume_text = co_await document_of(storaged, volume, volume_interface);
    VolumeFacts facts = facts_of_pool(pool_text);
    const xml::Document document = xml::Document::parse(volume_text);
    const xml::Node root = document.root();
    facts.name = wanted.volume;
    facts.kind = xml::enum_of<VolumeKind>(word(root, "type")).value_or(VolumeKind::file);
    const auto target = root.child("target");
    const auto path = target ? target->child("path") : std::nullopt;
    facts.path = path ? path->text() : std::string();
    co_return std::move(facts);
}

struct NamedVolume {
    DiskDef* disk;
    DiskImage* image;
};

std::vector<NamedVolume> volumes_of(DomainDef& def) {
    std::vector<NamedVolume> volumes;
    for (DiskDef& disk : def.devices.disks) {
        for (DiskImage* image = &disk.image; image != nullptr;
             image = image->backing ? &*image->backing : nullptr) {
            if (std::holds_alternative<VolumeSource>(image->source)) {
                volumes.push_back({&disk, image});
            }
        }
    }
    return volumes;
}

} // namespace

VolumeFacts facts_of_pool(std::string_view text) {
    const xml::Document document = xml::Document::parse(text);
    const xml::Node root = document.root();
    VolumeFacts facts;
    facts.pool = xml::enum_of<PoolKind>(word(root, "type")).value_or(PoolKind::dir);
    const auto source = root.child("source");
    for (auto node = source ? source->first() : std::nullopt; node; node = node->next()) {
        if (node->name() == "host") {
            SourceHost host;
            host.name = word(*node, "name");
            facts.hosts.push_back(std::move(host));
        } else if (node->name() == "device") {
            facts.device = word(*node, "path");
        } else if (node->name() == "name") {
            facts.gluster_volume = node->text();
        } else if (node->name() == "auth") {
            AuthDef auth;
            auth.username = word(*node, "username");
            if (const auto secret = node->child("secret")) {
                auth.secret.uuid = word(*secret, "uuid");
            }
            facts.auth = std::move(auth);
        }
    }
    return facts;
}

Task<void> find_volumes(Host& host, std::shared_ptr<DomainDef> live) {
    const std::vector<NamedVolume> volumes = volumes_of(*live);
    if (volumes.empty()) {
        co_return;
    }
    const auto storaged = co_await host.storaged.connect();
    for (const NamedVolume& volume : volumes) {
        try {
            VolumeSource wanted = std::get<VolumeSource>(volume.image->source);
            auto asking = ask_storaged(storaged, std::move(wanted));
            const VolumeFacts facts = co_await std::move(asking);
            resolve_volume(*volume.disk, *volume.image, facts);
        } catch (const Error& e) {
            throw Error(e.code(), "{}", located(volume.disk->info.where, "disk", e.what()));
        }
    }
}

} // namespace vireo::qemu
