// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/shmem_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

/// Written in MiB as `M`; a number without a unit is bytes.
struct MibAsM : xml::Scaled<1024 * 1024, 1> {
    static constexpr std::string_view unit = "M";
};

} // namespace

static const xml::Type& describe(const ShmemServer*) {
    static const xml::Type type =
        xml::element<ShmemServer>("server", xml::attr("path", &ShmemServer::path));
    return type;
}

static const xml::Type& describe(const ShmemMsi*) {
    static const xml::Type type =
        xml::element<ShmemMsi>("msi",
                               xml::attr("enabled", &ShmemMsi::enabled),
                               xml::attr("vectors", &ShmemMsi::vectors),
                               xml::attr("ioeventfd", &ShmemMsi::ioeventfd));
    return type;
}

const xml::Type& describe(const ShmemDef*) {
    static const xml::Type type =
        xml::element<ShmemDef>("shmem",
                               xml::attr("name", &ShmemDef::name),
                               xml::attr("role", &ShmemDef::role),
                               xml::group("model", xml::attr("type", &ShmemDef::model)),
                               xml::text("size", &ShmemDef::size_mib, MibAsM{}),
                               xml::child(&ShmemDef::server),
                               xml::child(&ShmemDef::msi),
                               xml::embed(&ShmemDef::info));
    return type;
}

} // namespace vireo::qemu
