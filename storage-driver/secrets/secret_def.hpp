// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/parts.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace vireo::storage {

/// What a secret is for, in libvirt's numbering (virSecretUsageType).
enum class SecretUsageType { none, volume, ceph, iscsi, tls, vtpm };

/// `<usage type='volume'><volume>/var/lib/images/a.img</volume></usage>`: its id is in the element
/// that the type has.
struct SecretUsage {
    SecretUsageType type{};
    std::optional<std::string> volume;
    std::optional<std::string> name;   ///< ceph, tls, vtpm
    std::optional<std::string> target; ///< iscsi
    xml::Where where;

    bool operator==(const SecretUsage&) const = default;
};

/// A secret's document, which never has its value.
struct SecretDef {
    /// Its value is kept in memory alone, and ends with the daemon.
    bool ephemeral{};
    /// Its value is shown to no client.
    bool is_private{};
    std::string uuid;
    std::optional<std::string> description;
    std::optional<SecretUsage> usage;

    bool operator==(const SecretDef&) const = default;

    SecretUsageType usage_type() const { return usage ? usage->type : SecretUsageType::none; }

    /// Empty where it is for nothing in particular.
    std::string usage_id() const;
};

/// Parses a document that a client sent, gives it a UUID where it has none, and checks it.
/// `validate` as for parse_pool. Throws xml_error.
SecretDef parse_secret(std::string_view text, bool validate = false);

/// As libvirt writes it.
std::string format_secret(const SecretDef& secret);

} // namespace vireo::storage

template <>
struct vireo::xml::EnumNames<vireo::storage::SecretUsageType> {
    static constexpr std::array<std::string_view, 6> names{
        "none", "volume", "ceph", "iscsi", "tls", "vtpm"};
};
