// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/secrets/secret_def.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "libshared/xml/binding.hpp"
#include "libshared/xml/parse.hpp"
#include "storage-driver/model/pool_def.hpp"

namespace vireo::storage {

static const xml::Type& describe(const SecretUsage*) {
    static const xml::Type type =
        xml::element<SecretUsage>("usage",
                                  xml::attr("type", &SecretUsage::type),
                                  xml::text("volume", &SecretUsage::volume),
                                  xml::text("name", &SecretUsage::name),
                                  xml::text("target", &SecretUsage::target));
    return type;
}

static const xml::Type& describe(const SecretDef*) {
    static const xml::Type type =
        xml::element<SecretDef>("secret",
                                xml::attr("ephemeral", &SecretDef::ephemeral).optional(),
                                xml::attr("private", &SecretDef::is_private).optional(),
                                xml::text("uuid", &SecretDef::uuid, xml::uuid).optional(),
                                xml::text("description", &SecretDef::description),
                                xml::child(&SecretDef::usage));
    return type;
}

namespace {

/// The element with the id that a usage of this type has, and what it says.
struct UsageId {
    std::string_view element;
    const std::optional<std::string> SecretUsage::*member = nullptr;
};

UsageId id_of(SecretUsageType type) {
    switch (type) {
    case SecretUsageType::none:
        break;
    case SecretUsageType::volume:
        return {"volume", &SecretUsage::volume};
    case SecretUsageType::ceph:
    case SecretUsageType::tls:
    case SecretUsageType::vtpm:
        return {"name", &SecretUsage::name};
    case SecretUsageType::iscsi:
        return {"target", &SecretUsage::target};
    }
    return {};
}

void check_usage(const SecretUsage& usage) {
    const UsageId id = id_of(usage.type);
    if (id.member != nullptr && (usage.*id.member).value_or("").empty()) {
        throw Error(
            ErrorCode::xml_error,
            "line {}: /secret/usage: type='{}' needs <{}>, which says what the secret is for",
            usage.where.line,
            xml::name_of(usage.type),
            id.element);
    }
}

} // namespace

std::string SecretDef::usage_id() const {
    const UsageId id = id_of(usage_type());
    return id.member == nullptr ? std::string() : ((*usage).*id.member).value_or("");
}

SecretDef parse_secret(std::string_view text, bool validate) {
    xml::Problems unknowns;
    xml::ParseOptions options;
    options.unknown = validate ? xml::Unknown::refuse : xml::Unknown::report;
    options.unknowns = &unknowns;
    auto secret = xml::parse<SecretDef>(text, options);
    if (secret.usage) {
        check_usage(*secret.usage);
    }
    if (secret.uuid.empty()) {
        secret.uuid = make_uuid();
    }
    if (!unknowns.empty()) {
        log::warning("secret {}: passed over what is not known: {}", secret.uuid, unknowns.text());
    }
    return secret;
}

std::string format_secret(const SecretDef& secret) {
    return xml::format(secret);
}

} // namespace vireo::storage
