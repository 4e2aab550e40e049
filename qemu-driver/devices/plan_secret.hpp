// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// For a plan that nobody runs as it is, or of which only the names count: every secret is empty.
SecretFacts blank_secrets();

/// The object `id` with the secret that `reference` names, for the device or image `user`.
/// Throws config_unsupported where there is no store of secrets.
Step secret_step(const PlanContext& context,
                 const std::string& id,
                 const SecretReference& reference,
                 std::string_view user);

/// The same with a text that is itself to be kept from other users of the host.
Step text_secret_step(const PlanContext& context,
                      const std::string& id,
                      std::string_view text,
                      std::string_view user);

/// One end's X.509 certificates.
struct TlsWish {
    std::string id;
    std::string dir;
    bool listens = false;
    bool verify_peer = true; ///< a client always does
    /// The secret that decrypts the private key, and the object that is to hold it.
    std::optional<std::string> secret_uuid;
    std::string secret_id;
};

Plan plan_tls_credentials(const PlanContext& context, const TlsWish& wish);

} // namespace vireo::qemu
