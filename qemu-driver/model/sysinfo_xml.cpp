// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/sysinfo_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const SysinfoEntry*) {
    static const xml::Type type =
        xml::element<SysinfoEntry>("entry",
                                   xml::attr("name", &SysinfoEntry::name),
                                   xml::attr("file", &SysinfoEntry::file),
                                   xml::content(&SysinfoEntry::value).optional());
    return type;
}

static const xml::Type& describe(const SysinfoTable*) {
    static const xml::Type type =
        xml::element<SysinfoTable>("", xml::child(&SysinfoTable::entries));
    return type;
}

const xml::Type& describe(const SysinfoDef*) {
    static const xml::Type type =
        xml::element<SysinfoDef>("sysinfo",
                                 xml::attr("type", &SysinfoDef::type),
                                 xml::child("bios", &SysinfoDef::bios),
                                 xml::child("system", &SysinfoDef::system),
                                 xml::child("baseBoard", &SysinfoDef::base_boards),
                                 xml::child("chassis", &SysinfoDef::chassis),
                                 xml::child("oemStrings", &SysinfoDef::oem_strings),
                                 xml::child(&SysinfoDef::entries));
    return type;
}

} // namespace vireo::qemu
