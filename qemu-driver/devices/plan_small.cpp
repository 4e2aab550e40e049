// SPDX-License-Identifier: LGPL-2.1-or-later
// Device kinds that are one device without a back end of their own.
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

Plan plan_hub(const PlanContext& context, const HubDef& hub) {
    json device = json::object();
    device["driver"] = "usb-hub";
    device["id"] = alias_of(hub.info);
    add_address(context, device, hub.info);
    Plan plan;
    plan.push_back(device_step(std::move(device)));
    return plan;
}

Plan plan_watchdog(const PlanContext& context, const WatchdogDef& watchdog) {
    if (watchdog.model == WatchdogModel::diag288) {
        throw Error(ErrorCode::config_unsupported, "watchdog model 'diag288' is not supported");
    }
    json device = json::object();
    device["driver"] = name_of(watchdog.model);
    device["id"] = alias_of(watchdog.info);
    add_address(context, device, watchdog.info);
    Plan plan;
    plan.push_back(device_step(std::move(device)));
    return plan;
}

Plan plan_watchdog_action(const WatchdogDef& watchdog) {
    const auto action = watchdog.action.value_or(WatchdogAction::reset);
    // A dump is made by the daemon once QEMU has stopped the guest.
    const auto word = action == WatchdogAction::dump ? "pause" : name_of(action);
    return {option_step("-watchdog-action", std::string(word))};
}

Plan plan_panic(const PlanContext& context, const PanicDef& panic) {
    switch (panic.model.value_or(PanicModel::isa)) {
    case PanicModel::hyperv:
        return {}; // a property of the CPU
    case PanicModel::isa:
        break;
    default:
        throw Error(ErrorCode::config_unsupported,
                    "panic model '{}' is not supported",
                    name_of(*panic.model));
    }
    require_type(context, "pvpanic", "panic");
    json device = json::object();
    device["driver"] = "pvpanic";
    if (const auto* at = std::get_if<IsaAddress>(&panic.info.address); at && at->iobase) {
        device["ioport"] = *at->iobase;
    }
    Plan plan;
    plan.push_back(device_step(std::move(device)));
    return plan;
}

Plan plan_identity(const PlanContext& context) {
    const DomainDef& def = context.def;
    Plan plan;
    if (def.genid) {
        require_type(context, "vmgenid", "genid");
        if (!def.genid->uuid) {
            throw Error(ErrorCode::internal, "genid has no value yet");
        }
        json device = json::object();
        device["driver"] = "vmgenid";
        device["guid"] = *def.genid->uuid;
        device["id"] = "vmgenid0";
        plan.push_back(device_step(std::move(device)));
    }
    if (def.features && def.features->vmcoreinfo && def.features->vmcoreinfo->state != OnOff::off) {
        require_type(context, "vmcoreinfo", "features/vmcoreinfo");
        json device = json::object();
        device["driver"] = "vmcoreinfo";
        plan.push_back(device_step(std::move(device)));
    }
    return plan;
}

namespace {

/// `1.10` as the BCD number 0x0110: the first digit after the point counts tenths.
std::optional<int32_t> usb_version(const RedirfilterRule& rule) {
    if (!rule.version || *rule.version == "-1") {
        return std::nullopt;
    }
    const auto dot = rule.version->find('.');
    const std::string tenths = dot == std::string::npos ? "" : rule.version->substr(dot + 1, 2);
    const int whole = std::stoi("0" + rule.version->substr(0, dot), nullptr, 16);
    const int part = std::stoi("0" + tenths, nullptr, 16);
    return whole * 256 + (tenths.size() == 1 ? part * 16 : part);
}

/// A field of a rule; without a value it matches anything.
std::string hex_field(const std::optional<int32_t>& value, int digits) {
    return value.value_or(-1) < 0 ? "-1" : fmt::format("0x{:0{}X}", *value, digits);
}

/// `class:vendor:product:version:allow`, as usb-redir wants its rules.
std::string filter_text(const RedirfilterDef& filter) {
    std::string text;
    for (const RedirfilterRule& rule : filter.rules) {
        text += fmt::format("{}{}:{}:{}:{}:{}",
                            text.empty() ? "" : "|",
                            hex_field(rule.usb_class, 2),
                            hex_field(rule.vendor, 4),
                            hex_field(rule.product, 4),
                            hex_field(usb_version(rule), 4),
                            rule.allow == YesNo::yes ? 1 : 0);
    }
    return text;
}

} // namespace

Plan plan_redirdev(const PlanContext& context, const RedirdevDef& redirdev) {
    const std::string& alias = alias_of(redirdev.info);
    require_type(context, "usb-redir", "redirdev");
    Plan plan =
        plan_chardev(context, redirdev.source, ChardevNames{"char" + alias, alias, {}, "usbredir"});
    json device = json::object();
    device["driver"] = "usb-redir";
    device["chardev"] = "char" + alias;
    device["id"] = alias;
    if (context.def.devices.redirfilter) {
        device["filter"] = filter_text(*context.def.devices.redirfilter);
    }
    add_boot_index(context, device, redirdev.info);
    add_address(context, device, redirdev.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
