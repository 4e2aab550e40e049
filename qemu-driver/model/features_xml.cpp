// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/features_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

template <class T>
auto state(std::string_view name, std::optional<OnOff> T::*member) {
    return xml::group(name, xml::attr("state", member));
}

/// `<tseg unit='MiB'>48</tseg>`: read in MiB if there is no unit, written in the biggest unit
/// that divides it.
void parse_tseg(SmmFeature& smm, const xml::Node& node, xml::Problems& problems) {
    uint64_t bytes = 0;
    const std::string text = node.text();
    const std::string wrong =
        xml::Scaled<1, 1024 * 1024>{}.parse(text, node.attribute("unit").value_or(""), bytes);
    if (!wrong.empty()) {
        problems.add(node.line(), node.path(), xml::quoted(text) + ' ' + wrong);
        return;
    }
    smm.tseg_bytes = bytes;
}

void format_tseg(const SmmFeature& smm, xml::Writer& writer) {
    if (!smm.tseg_bytes) {
        return;
    }
    const ShortSize size(*smm.tseg_bytes);
    writer.open("tseg");
    writer.attribute("unit", size.unit);
    writer.text(fmt::format("{}", size.value));
    writer.close();
}

} // namespace

static const xml::Type& describe(const HypervSpinlocks*) {
    static const xml::Type type =
        xml::element<HypervSpinlocks>("spinlocks",
                                      xml::attr("state", &HypervSpinlocks::state),
                                      xml::attr("retries", &HypervSpinlocks::retries));
    return type;
}

static const xml::Type& describe(const HypervStimer*) {
    static const xml::Type type = xml::element<HypervStimer>(
        "stimer", xml::attr("state", &HypervStimer::state), state("direct", &HypervStimer::direct));
    return type;
}

static const xml::Type& describe(const HypervVendorId*) {
    static const xml::Type type =
        xml::element<HypervVendorId>("vendor_id",
                                     xml::attr("state", &HypervVendorId::state),
                                     xml::attr("value", &HypervVendorId::value));
    return type;
}

static const xml::Type& describe(const HypervFeatures*) {
    using H = HypervFeatures;
    static const xml::Type type = xml::element<H>("hyperv",
                                                  xml::attr("mode", &H::mode),
                                                  state("relaxed", &H::relaxed),
                                                  state("vapic", &H::vapic),
                                                  xml::child(&H::spinlocks),
                                                  state("vpindex", &H::vpindex),
                                                  state("runtime", &H::runtime),
                                                  state("synic", &H::synic),
                                                  xml::child(&H::stimer),
                                                  state("reset", &H::reset),
                                                  xml::child(&H::vendor_id),
                                                  state("frequencies", &H::frequencies),
                                                  state("reenlightenment", &H::reenlightenment),
                                                  state("tlbflush", &H::tlbflush),
                                                  state("ipi", &H::ipi),
                                                  state("evmcs", &H::evmcs),
                                                  state("avic", &H::avic));
    return type;
}

static const xml::Type& describe(const KvmDirtyRing*) {
    static const xml::Type type =
        xml::element<KvmDirtyRing>("dirty-ring",
                                   xml::attr("state", &KvmDirtyRing::state),
                                   xml::attr("size", &KvmDirtyRing::size));
    return type;
}

static const xml::Type& describe(const KvmFeatures*) {
    static const xml::Type type =
        xml::element<KvmFeatures>("kvm",
                                  state("hidden", &KvmFeatures::hidden),
                                  state("hint-dedicated", &KvmFeatures::hint_dedicated),
                                  state("poll-control", &KvmFeatures::poll_control),
                                  state("pv-ipi", &KvmFeatures::pv_ipi),
                                  xml::child(&KvmFeatures::dirty_ring));
    return type;
}

static const xml::Type& describe(const ApicFeature*) {
    static const xml::Type type =
        xml::element<ApicFeature>("apic", xml::attr("eoi", &ApicFeature::eoi));
    return type;
}

static const xml::Type& describe(const SwitchFeature*) {
    static const xml::Type type =
        xml::element<SwitchFeature>("", xml::attr("state", &SwitchFeature::state));
    return type;
}

static const xml::Type& describe(const SmmFeature*) {
    static const xml::Type type =
        xml::element<SmmFeature>("smm",
                                 xml::attr("state", &SmmFeature::state),
                                 xml::custom<&parse_tseg, &format_tseg>("tseg"));
    return type;
}

static const xml::Type& describe(const OtherFeatures*) {
    using O = OtherFeatures;
    static const xml::Type type = xml::element<O>("",
                                                  xml::raw("gic", &O::gic),
                                                  xml::raw("hpt", &O::hpt),
                                                  xml::raw("htm", &O::htm),
                                                  xml::raw("nested-hv", &O::nested_hv),
                                                  xml::raw("ccf-assist", &O::ccf_assist),
                                                  xml::raw("cfpc", &O::cfpc),
                                                  xml::raw("sbbc", &O::sbbc),
                                                  xml::raw("ibs", &O::ibs));
    return type;
}

const xml::Type& describe(const FeaturesDef*) {
    using F = FeaturesDef;
    static const xml::Type type =
        xml::element<F>("features",
                        xml::flag("acpi", &F::acpi),
                        xml::child(&F::apic),
                        xml::flag("pae", &F::pae),
                        xml::child("hap", &F::hap),
                        xml::flag("viridian", &F::viridian),
                        xml::flag("privnet", &F::privnet),
                        xml::child(&F::hyperv),
                        xml::child(&F::kvm),
                        xml::child("pvspinlock", &F::pvspinlock),
                        xml::group("pmu", xml::attr("state", &F::pmu)),
                        xml::group("vmport", xml::attr("state", &F::vmport)),
                        xml::group("ioapic", xml::attr("driver", &F::ioapic)),
                        xml::child(&F::smm),
                        xml::child("vmcoreinfo", &F::vmcoreinfo),
                        xml::group("tcg", xml::text("tb-cache", &F::tcg_tb_cache_kib, xml::kib)),
                        xml::embed(&F::others),
                        xml::raw("capabilities", &F::capabilities),
                        xml::raw("xen", &F::xen),
                        xml::raw("msrs", &F::msrs));
    return type;
}

} // namespace vireo::qemu
