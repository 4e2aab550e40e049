// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/cpu_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const CpuModelDef*) {
    static const xml::Type type =
        xml::element<CpuModelDef>("model",
                                  xml::attr("fallback", &CpuModelDef::fallback),
                                  xml::attr("vendor_id", &CpuModelDef::vendor_id),
                                  xml::content(&CpuModelDef::name).optional());
    return type;
}

static const xml::Type& describe(const CpuTopology*) {
    static const xml::Type type =
        xml::element<CpuTopology>("topology",
                                  xml::attr("sockets", &CpuTopology::sockets),
                                  xml::attr("dies", &CpuTopology::dies).optional(),
                                  xml::attr("cores", &CpuTopology::cores),
                                  xml::attr("threads", &CpuTopology::threads));
    return type;
}

static const xml::Type& describe(const CpuCache*) {
    static const xml::Type type = xml::element<CpuCache>(
        "cache", xml::attr("level", &CpuCache::level), xml::attr("mode", &CpuCache::mode));
    return type;
}

static const xml::Type& describe(const CpuPhysBits*) {
    static const xml::Type type =
        xml::element<CpuPhysBits>("maxphysaddr",
                                  xml::attr("mode", &CpuPhysBits::mode),
                                  xml::attr("bits", &CpuPhysBits::bits),
                                  xml::attr("limit", &CpuPhysBits::limit));
    return type;
}

static const xml::Type& describe(const CpuFeature*) {
    static const xml::Type type = xml::element<CpuFeature>(
        "feature", xml::attr("policy", &CpuFeature::policy), xml::attr("name", &CpuFeature::name));
    return type;
}

static const xml::Type& describe(const NumaSibling*) {
    static const xml::Type type = xml::element<NumaSibling>(
        "sibling", xml::attr("id", &NumaSibling::id), xml::attr("value", &NumaSibling::value));
    return type;
}

static const xml::Type& describe(const HmatCache*) {
    static const xml::Type type = xml::element<HmatCache>(
        "cache",
        xml::attr("level", &HmatCache::level),
        xml::attr("associativity", &HmatCache::associativity),
        xml::attr("policy", &HmatCache::policy),
        xml::group("size", xml::attr("value", &HmatCache::size_kib, xml::kib)),
        xml::group("line", xml::attr("value", &HmatCache::line_bytes, BytesAsB{})));
    return type;
}

static const xml::Type& describe(const NumaCell*) {
    static const xml::Type type =
        xml::element<NumaCell>("cell",
                               xml::attr("id", &NumaCell::id),
                               xml::attr("cpus", &NumaCell::cpus),
                               xml::attr("memory", &NumaCell::memory_kib, xml::kib).optional(),
                               xml::attr("memAccess", &NumaCell::access),
                               xml::attr("discard", &NumaCell::discard),
                               xml::group("distances", xml::child(&NumaCell::distances)),
                               xml::child(&NumaCell::caches));
    return type;
}

namespace {

auto initiator() {
    return xml::attr("initiator", &HmatInterconnect::initiator);
}

auto target() {
    return xml::attr("target", &HmatInterconnect::target);
}

auto cache() {
    return xml::attr("cache", &HmatInterconnect::cache);
}

auto access() {
    return xml::attr("type", &HmatInterconnect::type);
}

} // namespace

static const xml::Type& describe(const HmatLatency*) {
    static const xml::Type type = xml::element<HmatLatency>(
        "latency", initiator(), target(), cache(), access(), xml::attr("value", &HmatLatency::ns));
    return type;
}

static const xml::Type& describe(const HmatBandwidth*) {
    static const xml::Type type =
        xml::element<HmatBandwidth>("bandwidth",
                                    initiator(),
                                    target(),
                                    cache(),
                                    access(),
                                    xml::attr("value", &HmatBandwidth::kib_per_s, xml::kib));
    return type;
}

const xml::Type& describe(const CpuDef*) {
    static const xml::Type type = xml::element<CpuDef>(
        "cpu",
        xml::attr("mode", &CpuDef::mode),
        xml::attr("match", &CpuDef::match),
        xml::attr("check", &CpuDef::check),
        xml::attr("migratable", &CpuDef::migratable),
        xml::child(&CpuDef::model),
        xml::text("vendor", &CpuDef::vendor),
        xml::child(&CpuDef::topology),
        xml::child(&CpuDef::cache),
        xml::child(&CpuDef::phys_bits),
        xml::child(&CpuDef::features),
        xml::group("numa",
                   xml::child(&CpuDef::cells),
                   xml::group("interconnects", xml::choice(&CpuDef::interconnects))));
    return type;
}

} // namespace vireo::qemu
