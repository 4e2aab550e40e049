// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memory_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const MaxMemory*) {
    static const xml::Type type = xml::element<MaxMemory>("maxMemory",
                                                          xml::attr("slots", &MaxMemory::slots),
                                                          xml::content(&MaxMemory::kib, xml::kib));
    return type;
}

const xml::Type& describe(const MemoryDef*) {
    static const xml::Type type = xml::element<MemoryDef>(
        "",
        xml::child(&MemoryDef::max),
        xml::group("memory",
                   xml::attr("dumpCore", &MemoryDef::dump_core),
                   xml::content(&MemoryDef::total_kib, xml::kib).optional()),
        xml::text("currentMemory", &MemoryDef::current_kib, xml::kib));
    return type;
}

static const xml::Type& describe(const HugePage*) {
    static const xml::Type type =
        xml::element<HugePage>("page",
                               xml::attr("size", &HugePage::size_kib, xml::kib),
                               xml::attr("nodeset", &HugePage::nodeset));
    return type;
}

static const xml::Type& describe(const HugePagesDef*) {
    static const xml::Type type =
        xml::element<HugePagesDef>("hugepages", xml::child(&HugePagesDef::pages));
    return type;
}

const xml::Type& describe(const MemoryBackingDef*) {
    static const xml::Type type = xml::element<MemoryBackingDef>(
        "memoryBacking",
        xml::child(&MemoryBackingDef::hugepages),
        xml::flag("nosharepages", &MemoryBackingDef::nosharepages),
        xml::flag("locked", &MemoryBackingDef::locked),
        xml::group("source", xml::attr("type", &MemoryBackingDef::source)),
        xml::group("access", xml::attr("mode", &MemoryBackingDef::access)),
        xml::group("allocation",
                   xml::attr("mode", &MemoryBackingDef::allocation),
                   xml::attr("threads", &MemoryBackingDef::allocation_threads)),
        xml::flag("discard", &MemoryBackingDef::discard));
    return type;
}

} // namespace vireo::qemu
