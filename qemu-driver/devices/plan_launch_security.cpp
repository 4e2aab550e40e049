// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_machine.hpp"

namespace vireo::qemu {

using nlohmann::json;

Plan plan_launch_security(const PlanContext& context) {
    const auto& security = context.def.launch_security;
    if (!security) {
        return {};
    }
    require_type(context, "sev-guest", "launchSecurity");
    if (!security->cbitpos || !security->reduced_phys_bits) {
        throw Error(
            ErrorCode::config_unsupported,
            "launchSecurity needs <cbitpos> and <reducedPhysBits>: the host's are not known");
    }
    json object = json::object();
    object["qom-type"] = "sev-guest";
    object["id"] = "lsec0";
    object["cbitpos"] = *security->cbitpos;
    object["reduced-phys-bits"] = *security->reduced_phys_bits;
    object["policy"] = security->policy;
    // The daemon writes both where only QEMU and itself can read them.
    if (security->dh_cert) {
        object["dh-cert-file"] = context.facts.private_dir + "/dh_cert.base64";
    }
    if (security->session) {
        object["session-file"] = context.facts.private_dir + "/session.base64";
    }
    if (security->kernel_hashes) {
        object["kernel-hashes"] = *security->kernel_hashes == YesNo::yes;
    }
    return {object_step(std::move(object))};
}

} // namespace vireo::qemu
