// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/guest_secrets.hpp"

#include "libshared/files.hpp"
#include "qemu-driver/devices/seal_secret.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/storaged.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace vireo::qemu {

namespace {

constexpr const char* secret_interface = "org.libvirt.Secret";

// virSecretUsageType
constexpr std::int32_t volume_usage = 1;
constexpr std::int32_t ceph_usage = 2;
constexpr std::int32_t iscsi_usage = 3;

/// A secret, and the element that names it.
struct WantedSecret {
    SecretReference reference;
    std::int32_t usage_type;
    std::string element;
    xml::Where where;
};

std::int32_t usage_of(const AuthDef& auth) {
    return auth.secret.type == "ceph" ? ceph_usage : iscsi_usage;
}

void add_image(std::vector<WantedSecret>& found, const DiskImage& image, const xml::Where& where) {
    if (image.auth) {
        found.push_back({image.auth->secret, usage_of(*image.auth), "disk", where});
    }
    if (image.encryption) {
        for (const SecretReference& secret : image.encryption->secrets) {
            found.push_back({secret, volume_usage, "disk", where});
        }
    }
}

std::vector<WantedSecret> wanted_by(const DomainDef& def) {
    std::vector<WantedSecret> found;
    for (const DiskDef& disk : def.devices.disks) {
        const xml::Where& where = disk.info.where;
        if (const AuthDef* auth = disk.auth(); auth != nullptr && !disk.image.auth) {
            found.push_back({auth->secret, usage_of(*auth), "disk", where});
        }
        if (const EncryptionDef* outer = disk.encryption();
            outer != nullptr && !disk.image.encryption) {
            for (const SecretReference& secret : outer->secrets) {
                found.push_back({secret, volume_usage, "disk", where});
            }
        }
        for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
            add_image(found, *image, where);
        }
    }
    for (const HostdevDef& hostdev : def.devices.hostdevs) {
        const auto* scsi = std::get_if<ScsiHostdev>(&hostdev.source);
        if (scsi != nullptr && scsi->auth) {
            found.push_back(
                {scsi->auth->secret, usage_of(*scsi->auth), "hostdev", hostdev.info.where});
        }
    }
    return found;
}

std::string secret_name(const SecretReference& reference) {
    return reference.uuid ? *reference.uuid : reference.usage.value_or("");
}

Task<bus::ObjectPath> find_secret(DriverCaller::ConnectionPtr storaged, WantedSecret wanted) {
    const std::string path = storaged_path;
    const std::string interface = storaged_interface;
    const std::string name = secret_name(wanted.reference);
    if (wanted.reference.uuid) {
        auto asking = look_up(storaged, path, interface, "SecretLookupByUUID", name);
        co_return co_await std::move(asking);
    }
    const std::string member = "SecretLookupByUsage";
    const bus::Message reply = co_await driver_call(
        storaged, storaged_limit, path, interface, member, wanted.usage_type, name);
    co_return bus::read<bus::ObjectPath>(reply.get());
}

Task<std::string> value_of(DriverCaller::ConnectionPtr storaged, WantedSecret wanted) {
    const bus::ObjectPath path = co_await find_secret(storaged, wanted);
    const std::string interface = secret_interface;
    const std::string member = "GetValue";
    const std::uint32_t flags = 0;
    const bus::Message reply =
        co_await driver_call(storaged, storaged_limit, path, interface, member, flags);
    const auto bytes = bus::read<std::vector<std::uint8_t>>(reply.get());
    co_return std::string(bytes.begin(), bytes.end());
}

MasterKey read_master_key(const std::string& private_dir) {
    const std::string text = read_file(master_key_file(private_dir));
    MasterKey key{};
    if (text.size() != key.size()) {
        throw Error(ErrorCode::internal,
                    "'{}' has {} bytes, a key has {}",
                    master_key_file(private_dir),
                    text.size(),
                    key.size());
    }
    std::ranges::copy(text, key.begin());
    return key;
}

} // namespace

std::string master_key_file(const std::string& private_dir) {
    return private_dir + "/master-key.aes";
}

void make_master_key(const std::string& private_dir) {
    MasterKey key{};
    fill_random(key);
    write_file(master_key_file(private_dir), std::string(key.begin(), key.end()));
}

Task<SecretFacts>
fetch_secrets(Host& host, std::shared_ptr<const DomainDef> def, std::string private_dir) {
    SecretFacts facts;
    facts.seal = [private_dir](std::string_view text) {
        SealIv iv{};
        fill_random(iv);
        return seal_secret(text, read_master_key(private_dir), iv);
    };
    const std::vector<WantedSecret> wanted = wanted_by(*def);
    if (wanted.empty()) {
        co_return std::move(facts);
    }
    auto values = std::make_shared<std::map<std::string, std::string>>();
    const auto storaged = co_await host.storaged.connect();
    for (const WantedSecret& one : wanted) {
        const std::string name = secret_name(one.reference);
        try {
            auto asking = value_of(storaged, one);
            std::string value = co_await std::move(asking);
            values->insert_or_assign(name, std::move(value));
        } catch (const Error& e) {
            const std::string what = fmt::format("secret '{}': {}", name, e.what());
            throw Error(e.code(), "{}", located(one.where, one.element, what));
        }
    }
    facts.value = [values](const SecretReference& reference) {
        return values->at(secret_name(reference));
    };
    co_return std::move(facts);
}

} // namespace vireo::qemu
