// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <bit>
#include <set>

namespace vireo::qemu {

namespace {

void check_hyperv(const FeaturesDef& features) {
    if (!features.hyperv) {
        return;
    }
    const HypervFeatures& h = *features.hyperv;
    constexpr uint32_t least_retries = 4095; // Hyper-V's own "never notify" begins there
    if (h.spinlocks && h.spinlocks->retries.value_or(least_retries) < least_retries) {
        refuse(features.where,
               "spinlocks",
               "retries='{}' is below {}",
               *h.spinlocks->retries,
               least_retries);
    }
    constexpr std::size_t vendor_length = 12;
    if (h.vendor_id && h.vendor_id->state == OnOff::on &&
        (!h.vendor_id->value || h.vendor_id->value->size() > vendor_length ||
         h.vendor_id->value->find(',') != std::string::npos)) {
        refuse(features.where,
               "vendor_id",
               "value='{}' is not up to {} characters without a comma",
               h.vendor_id->value.value_or(""),
               vendor_length);
    }
}

void check_kvm(const DomainDef& def, const FeaturesDef& features) {
    if (features.kvm) {
        const KvmFeatures& k = *features.kvm;
        if (k.hint_dedicated == OnOff::on &&
            (!def.cpu || def.cpu->mode != CpuMode::host_passthrough)) {
            refuse(features.where, "hint-dedicated", "it needs <cpu mode='host-passthrough'>");
        }
        constexpr uint32_t smallest = 1024, biggest = 65536;
        if (k.dirty_ring && k.dirty_ring->state == OnOff::on &&
            (!std::has_single_bit(k.dirty_ring->size.value_or(0)) ||
             *k.dirty_ring->size < smallest || *k.dirty_ring->size > biggest)) {
            refuse(features.where,
                   "dirty-ring",
                   "size='{}' is not a power of two from {} to {}",
                   k.dirty_ring->size.value_or(0),
                   smallest,
                   biggest);
        }
    }
    if (features.tcg_tb_cache_kib && def.type != DomainType::qemu) {
        refuse(features.where, "tcg", "it is for <domain type='qemu'>");
    }
    constexpr uint64_t mib_kib = 1024;
    if (features.tcg_tb_cache_kib.value_or(0) % mib_kib != 0) {
        refuse(features.where, "tb-cache", "{} KiB are not whole MiB", *features.tcg_tb_cache_kib);
    }
}

void check_others(const FeaturesDef& features) {
    const OtherFeatures& o = features.others;
    const std::pair<bool, std::string_view> list[] = {{o.gic.has_value(), "gic"},
                                                      {o.hpt.has_value(), "hpt"},
                                                      {o.htm.has_value(), "htm"},
                                                      {o.nested_hv.has_value(), "nested-hv"},
                                                      {o.ccf_assist.has_value(), "ccf-assist"},
                                                      {o.cfpc.has_value(), "cfpc"},
                                                      {o.sbbc.has_value(), "sbbc"},
                                                      {o.ibs.has_value(), "ibs"}};
    for (const auto& [there, element] : list) {
        if (there) {
            refuse(features.where, element, "it is of machines that are no PCs");
        }
    }
}

void check_smm(const DomainDef& def, const FeaturesDef& features) {
    if (!features.smm || !features.smm->tseg_bytes) {
        return;
    }
    if (!def.os.is_q35()) {
        refuse(features.where, "tseg", "a machine '{}' has none; 'q35' has", *def.os.machine);
    }
    constexpr uint64_t mib = 1024 * 1024;
    if (*features.smm->tseg_bytes % mib != 0) {
        refuse(features.where, "tseg", "{} bytes are not whole MiB", *features.smm->tseg_bytes);
    }
}

void check_timer(const TimerDef& timer) {
    const auto unsupported = [&](std::string_view attribute, std::string_view value) {
        refuse(timer.where,
               "timer",
               "{}='{}' is not there for name='{}'",
               attribute,
               value,
               name_of(timer.name));
    };
    switch (timer.name) {
    case TimerName::platform:
    case TimerName::armvtimer:
        refuse(timer.where, "timer", "name='{}' is not one of a PC's", name_of(timer.name));
    case TimerName::rtc:
        if (timer.track == TimerTrack::boot) {
            unsupported("track", name_of(*timer.track));
        }
        if (timer.tick_policy == TimerTickPolicy::merge ||
            timer.tick_policy == TimerTickPolicy::discard) {
            unsupported("tickpolicy", name_of(*timer.tick_policy));
        }
        break;
    case TimerName::pit:
        if (timer.tick_policy == TimerTickPolicy::merge) {
            unsupported("tickpolicy", name_of(*timer.tick_policy));
        }
        break;
    default:
        break;
    }
}

void check_clock(const ClockDef& clock) {
    if (clock.offset == ClockOffset::absolute && !clock.start) {
        refuse(clock.where, "clock", "offset='absolute' needs start=, seconds since 1970");
    }
    constexpr uint64_t last_s = 253402300799; // 9999-12-31T23:59:59
    if (clock.offset == ClockOffset::absolute && clock.start.value_or(0) > last_s) {
        refuse(
            clock.where, "clock", "start='{}' is beyond {}, the year 9999", *clock.start, last_s);
    }
    std::set<TimerName> seen;
    for (const TimerDef& timer : clock.timers) {
        if (!seen.insert(timer.name).second) {
            refuse(timer.where, "timer", "name='{}' is there twice", name_of(timer.name));
        }
        check_timer(timer);
    }
}

void check_lifecycle(const DomainDef& def) {
    const auto check = [&](std::string_view element, LifecycleAction action) {
        const bool dump = action == LifecycleAction::coredump_destroy ||
                          action == LifecycleAction::coredump_restart;
        if (dump && element != "on_crash") {
            refuse(def.where, element, "'{}' is for <on_crash>", name_of(action));
        }
        if (action == LifecycleAction::rename_restart) {
            refuse(def.where, element, "'rename-restart' is not there with QEMU; use 'restart'");
        }
    };
    check("on_poweroff", *def.on_poweroff);
    check("on_reboot", *def.on_reboot);
    check("on_crash", *def.on_crash);
    const auto refuse_preserve = [&](std::string_view element, LifecycleAction action) {
        if (action == LifecycleAction::preserve) {
            refuse(def.where,
                   element,
                   "'preserve' is not there with QEMU; use 'destroy' or 'restart'");
        }
    };
    refuse_preserve("on_poweroff", *def.on_poweroff);
    refuse_preserve("on_reboot", *def.on_reboot);
    if (def.on_poweroff == LifecycleAction::restart && def.on_reboot == LifecycleAction::destroy) {
        refuse(def.where,
               "on_poweroff",
               "'restart' beside <on_reboot>destroy</on_reboot> swaps the two; QEMU cannot");
    }
}

} // namespace

void validate_features(const DomainDef& def) {
    if (def.features) {
        check_hyperv(*def.features);
        check_kvm(def, *def.features);
        check_smm(def, *def.features);
        check_others(*def.features);
    }
    check_clock(def.clock);
    check_lifecycle(def);
}

} // namespace vireo::qemu
