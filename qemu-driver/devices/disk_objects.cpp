// SPDX-License-Identifier: LGPL-2.1-or-later
// What the block nodes of an image refer to: secrets, certificates, helpers for reservations.
#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/devices/plan_secret.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

Step reservations_step(const std::string& id, const std::string& path) {
    json object = json::object();
    object["qom-type"] = "pr-manager-helper";
    object["id"] = id;
    object["path"] = path;
    return object_step(std::move(object));
}

/// The header of a request, as RFC 6265 writes it.
std::string cookie_header(const std::vector<CookieDef>& cookies) {
    std::vector<std::string> pairs;
    for (const CookieDef& cookie : cookies) {
        pairs.push_back(fmt::format("{}={}", cookie.name, cookie.value));
    }
    return fmt::format("{}", fmt::join(pairs, "; "));
}

void add_network_objects(const PlanContext& context,
                         const NetworkSource& source,
                         const NodeNames& names,
                         Plan& plan) {
    if (!source.cookies.empty()) {
        plan.push_back(text_secret_step(
            context, names.cookie_secret, cookie_header(source.cookies), names.storage));
    }
    if (source.tls == YesNo::yes) {
        if (source.protocol != NetworkProtocol::nbd) {
            throw Error(ErrorCode::config_unsupported,
                        "disk source protocol '{}' with tls='yes' is not supported",
                        name_of(source.protocol));
        }
        TlsWish wish;
        wish.id = names.tls_credentials;
        wish.dir = context.facts.settings.nbd_tls_x509_cert_dir;
        wish.secret_uuid = context.facts.settings.nbd_tls_x509_secret_uuid;
        wish.secret_id = names.tls_credentials + "-secret0";
        append(plan, plan_tls_credentials(context, wish));
    }
}

} // namespace

bool uses_managed_reservations(const DiskImage& image) {
    return image.reservations && image.reservations->managed == YesNo::yes;
}

Step managed_reservations_step(const PlanContext& context) {
    require_type(context, "pr-manager-helper", "reservations");
    return reservations_step(
        managed_reservations,
        fmt::format("{}/{}.sock", context.facts.private_dir, managed_reservations));
}

Plan plan_image_objects(const PlanContext& context,
                        const DiskImage& image,
                        const NodeNames& names) {
    Plan plan;
    if (image.reservations && !uses_managed_reservations(image)) {
        require_type(context, "pr-manager-helper", "reservations");
        plan.push_back(
            reservations_step(names.reservations, image.reservations->path.value_or("")));
    }
    if (image.auth) {
        plan.push_back(secret_step(context, names.auth_secret, image.auth->secret, names.storage));
    }
    if (image.encryption) {
        if (image.encryption->secrets.empty()) {
            throw Error(ErrorCode::config_unsupported,
                        "disk encryption needs a <secret> that opens the image");
        }
        plan.push_back(secret_step(
            context, names.encryption_secret, image.encryption->secrets.front(), names.format));
    }
    if (const auto* network = std::get_if<NetworkSource>(&image.source)) {
        add_network_objects(context, *network, names, plan);
    }
    return plan;
}

} // namespace vireo::qemu
