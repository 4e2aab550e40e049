// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_secret.hpp"

#include "libshared/error.hpp"

namespace vireo::qemu {

using nlohmann::json;

SecretFacts blank_secrets() {
    return {.value = [](const SecretReference&) { return std::string(); },
            .seal = [](std::string_view) { return SealedSecret(); }};
}

Step secret_step(const PlanContext& context,
                 const std::string& id,
                 const SecretReference& reference,
                 std::string_view user) {
    if (!context.facts.secrets.value) {
        throw Error(ErrorCode::config_unsupported,
                    "'{}' needs the secret '{}', and there is no store of secrets",
                    user,
                    reference.uuid ? *reference.uuid : reference.usage.value_or(""));
    }
    return text_secret_step(context, id, context.facts.secrets.value(reference), user);
}

Step text_secret_step(const PlanContext& context,
                      const std::string& id,
                      std::string_view text,
                      std::string_view user) {
    if (!context.facts.secrets.seal) {
        throw Error(
            ErrorCode::config_unsupported, "'{}' has a secret, and the guest has no key", user);
    }
    SealedSecret sealed = context.facts.secrets.seal(text);
    json object = json::object();
    object["qom-type"] = "secret";
    object["id"] = id;
    object["data"] = std::move(sealed.data);
    object["keyid"] = "masterKey0";
    object["iv"] = std::move(sealed.iv);
    object["format"] = "base64";
    return object_step(std::move(object));
}

Plan plan_tls_credentials(const PlanContext& context, const TlsWish& wish) {
    require_type(context, "tls-creds-x509", wish.id);
    json object = json::object();
    object["qom-type"] = "tls-creds-x509";
    object["id"] = wish.id;
    object["dir"] = wish.dir;
    object["endpoint"] = wish.listens ? "server" : "client";
    object["verify-peer"] = wish.verify_peer;
    Plan plan;
    if (wish.secret_uuid) {
        SecretReference key;
        key.uuid = *wish.secret_uuid;
        plan.push_back(secret_step(context, wish.secret_id, key, wish.id));
        object["passwordid"] = wish.secret_id;
    }
    plan.push_back(object_step(std::move(object)));
    return plan;
}

} // namespace vireo::qemu
