// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/secrets/secrets.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "storage-driver/model/pool_def.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace vireo::storage {

namespace {

namespace fs = std::filesystem;

// virConnectListAllSecretsFlags
constexpr std::uint32_t ephemeral_flag = 1;
constexpr std::uint32_t stored_flag = 2;
constexpr std::uint32_t private_flag = 4;
constexpr std::uint32_t public_flag = 8;

bool selected(bool has, std::uint32_t flags, std::uint32_t with, std::uint32_t without) {
    return (flags & (with | without)) == 0 || (flags & (has ? with : without)) != 0;
}

std::vector<std::uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

} // namespace

Secrets::Secrets(Loop& loop, std::string folder, Tell tell)
    : loop_(loop), folder_(std::move(folder)), tell_(std::move(tell)), changes_(loop) {
    make_folders(folder_);
    remove_unfinished(folder_);
    load();
}

std::string Secrets::document_path(const std::string& uuid) const {
    return fmt::format("{}/{}.xml", folder_, uuid);
}

std::string Secrets::value_path(const std::string& uuid) const {
    return fmt::format("{}/{}.value", folder_, uuid);
}

void Secrets::load() {
    std::error_code failed;
    for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        const fs::path path = entry->path();
        if (path.extension() != ".xml") {
            continue;
        }
        try {
            auto secret = std::make_shared<Secret>();
            secret->def = parse_secret(read_file(path.string()));
            if (secret->def.uuid != path.stem().string()) {
                throw Error(ErrorCode::xml_error,
                            "it is the document of secret {0}, whose file is '{0}.xml'",
                            secret->def.uuid);
            }
            if (const auto value = read_file_if_exists(value_path(secret->def.uuid))) {
                secret->value = bytes_of(*value);
            }
            secrets_.emplace(secret->def.uuid, std::move(secret));
        } catch (const Error& error) {
            log::warning("'{}' is passed over: {}", path.string(), error.what());
        }
    }
}

std::vector<Secrets::Ptr> Secrets::list(std::uint32_t flags) const {
    constexpr std::uint32_t known = ephemeral_flag | stored_flag | private_flag | public_flag;
    if ((flags & ~known) != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags ({:#x}) to list secrets", flags & ~known);
    }
    std::vector<Ptr> found;
    for (const auto& [uuid, secret] : secrets_) {
        if (selected(secret->def.ephemeral, flags, ephemeral_flag, stored_flag) &&
            selected(secret->def.is_private, flags, private_flag, public_flag)) {
            found.push_back(secret);
        }
    }
    return found;
}

Secrets::Ptr Secrets::get(std::string_view uuid) const {
    const auto normal = normal_uuid(uuid);
    if (!normal) {
        throw Error(ErrorCode::invalid_arg, "'{}' is not a UUID", uuid);
    }
    const auto found = secrets_.find(*normal);
    if (found == secrets_.end()) {
        throw Error(ErrorCode::no_secret, "no secret with matching uuid '{}'", *normal);
    }
    return found->second;
}

Secrets::Ptr Secrets::get_by_usage(std::int32_t type, std::string_view id) const {
    for (const auto& [uuid, secret] : secrets_) {
        if (static_cast<std::int32_t>(secret->def.usage_type()) == type &&
            secret->def.usage_id() == id) {
            return secret;
        }
    }
    throw Error(ErrorCode::no_secret, "no secret with matching usage '{}'", id);
}

bool Secrets::only_in_memory() const {
    return std::ranges::any_of(secrets_,
                               [](const auto& entry) { return entry.second->def.ephemeral; });
}

void Secrets::check_new(const SecretDef& def) const {
    const std::string id = def.usage_id();
    const auto known = secrets_.find(def.uuid);
    if (known != secrets_.end()) {
        const SecretDef& before = known->second->def;
        if (before.usage_type() != def.usage_type() || before.usage_id() != id) {
            throw Error(ErrorCode::operation_failed,
                        "a secret with UUID {} is already defined for use with '{}'",
                        def.uuid,
                        before.usage_id());
        }
        if (before.is_private && !def.is_private) {
            throw Error(ErrorCode::operation_denied,
                        "secret {} is private, which cannot be taken back; undefine it first",
                        def.uuid);
        }
        return;
    }
    for (const auto& [uuid, other] : secrets_) {
        if (def.usage_type() != SecretUsageType::none &&
            other->def.usage_type() == def.usage_type() && other->def.usage_id() == id) {
            throw Error(ErrorCode::operation_failed,
                        "a secret with UUID {} is already defined for use with '{}'",
                        uuid,
                        id);
        }
    }
}

void Secrets::require(const Secret& secret) const {
    const auto found = secrets_.find(secret.def.uuid);
    if (found == secrets_.end() || found->second.get() != &secret) {
        throw Error(ErrorCode::no_secret, "no secret with matching uuid '{}'", secret.def.uuid);
    }
}

Task<void> Secrets::save_value(std::string uuid, std::vector<std::uint8_t> value) {
    co_await save_file(loop_, value_path(uuid), std::string(value.begin(), value.end()));
}

Task<void> Secrets::remove_files(std::string uuid) {
    // In this order: a value without a document would be that of the next secret of this UUID.
    co_await delete_file(loop_, value_path(uuid));
    co_await delete_file(loop_, document_path(uuid));
}

Task<Secrets::Ptr> Secrets::define(std::string xml, bool validate) {
    SecretDef def = parse_secret(xml, validate);
    const auto turn = co_await changes_.turn();
    check_new(def);
    const auto known = secrets_.find(def.uuid);
    Ptr secret = known == secrets_.end() ? std::make_shared<Secret>() : known->second;
    if (!def.ephemeral) {
        co_await save_file(loop_, document_path(def.uuid), format_secret(def));
        if (secret->def.ephemeral && secret->value) {
            co_await save_value(def.uuid, *secret->value);
        }
    } else if (!secret->def.uuid.empty() && !secret->def.ephemeral) {
        co_await remove_files(def.uuid);
    }
    secret->def = std::move(def);
    secrets_.insert_or_assign(secret->def.uuid, secret);
    tell_(*secret, SecretEvent::defined);
    co_return std::move(secret);
}

Task<void> Secrets::set_value(Ptr secret, std::vector<std::uint8_t> value) {
    const auto turn = co_await changes_.turn();
    require(*secret);
    if (!secret->def.ephemeral) {
        co_await save_value(secret->def.uuid, value);
    }
    secret->value = std::move(value);
}

Task<void> Secrets::undefine(Ptr secret) {
    const auto turn = co_await changes_.turn();
    require(*secret);
    if (!secret->def.ephemeral) {
        co_await remove_files(secret->def.uuid);
    }
    secrets_.erase(secret->def.uuid);
    tell_(*secret, SecretEvent::undefined);
}

const std::vector<std::uint8_t>& value_for_client(const Secret& secret) {
    if (secret.def.is_private) {
        throw Error(ErrorCode::operation_denied, "secret is private");
    }
    return value_for_driver(secret);
}

const std::vector<std::uint8_t>& value_for_driver(const Secret& secret) {
    if (!secret.value) {
        throw Error(ErrorCode::no_secret, "secret '{}' does not have a value", secret.def.uuid);
    }
    return *secret.value;
}

} // namespace vireo::storage
