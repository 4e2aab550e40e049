// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Where NSS keeps its certificates, where the document does not say.
constexpr const char* nss_database = "/etc/pki/nssdb";

/// What the card is, one function for each kind; the plan made gets what must be there before.
class CardWriter {
  public:
    CardWriter(const PlanContext& context, const std::string& alias, Plan& plan)
        : context_(context), alias_(alias), plan_(plan) {}

    json operator()(const HostSmartcard&) const { return emulated("nss-emulated"); }

    json operator()(const CertificatesSmartcard& card) const {
        constexpr size_t wanted = 3; // for signing, encryption and login
        if (card.certificates.size() != wanted) {
            throw Error(ErrorCode::config_unsupported,
                        "smartcard '{}' needs exactly three certificates",
                        alias_);
        }
        json device = emulated("certificates");
        for (size_t i = 0; i < wanted; ++i) {
            device[fmt::format("cert{}", i + 1)] = card.certificates[i];
        }
        device["db"] = card.database.value_or(nss_database);
        return device;
    }

    json operator()(const PassthroughSmartcard& card) const {
        require_type(context_, "ccid-card-passthru", "smartcard mode 'passthrough'");
        plan_ = plan_chardev(
            context_, card.chardev, ChardevNames{"char" + alias_, alias_, {}, "smartcard"});
        json device = json::object();
        device["driver"] = "ccid-card-passthru";
        device["chardev"] = "char" + alias_;
        return device;
    }

  private:
    json emulated(const char* backend) const {
        require_type(context_, "ccid-card-emulated", "smartcard");
        json device = json::object();
        device["driver"] = "ccid-card-emulated";
        device["backend"] = backend;
        return device;
    }

    const PlanContext& context_;
    const std::string& alias_;
    Plan& plan_;
};

} // namespace

Plan plan_smartcard(const PlanContext& context, const SmartcardDef& card) {
    const std::string& alias = alias_of(card.info);
    Plan plan;
    json device = std::visit(CardWriter(context, alias, plan), card.kind);
    device["id"] = alias;
    add_address(context, device, card.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
