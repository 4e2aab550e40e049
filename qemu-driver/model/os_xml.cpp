// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/disk_source_xml.hpp"
#include "qemu-driver/model/os_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const FirmwareFeature*) {
    static const xml::Type type =
        xml::element<FirmwareFeature>("feature",
                                      xml::attr("enabled", &FirmwareFeature::enabled),
                                      xml::attr("name", &FirmwareFeature::name));
    return type;
}

static const xml::Type& describe(const LoaderDef*) {
    static const xml::Type type =
        xml::element<LoaderDef>("loader",
                                xml::attr("readonly", &LoaderDef::readonly),
                                xml::attr("secure", &LoaderDef::secure),
                                xml::attr("type", &LoaderDef::type),
                                xml::attr("stateless", &LoaderDef::stateless),
                                xml::attr("format", &LoaderDef::format),
                                xml::content(&LoaderDef::path));
    return type;
}

static const xml::Type& describe(const NvramDef*) {
    const auto as_source = [](const NvramDef& n) { return !n.image.is_empty(); };
    static const xml::Type type = xml::element<NvramDef>(
        "nvram",
        xml::attr("template", &NvramDef::template_path),
        xml::attr("format", &NvramDef::format),
        xml::embed(&NvramDef::image, image_type(), image_source()).write_if(as_source),
        xml::content(&NvramDef::path));
    return type;
}

static const xml::Type& describe(const BootMenuDef*) {
    static const xml::Type type =
        xml::element<BootMenuDef>("bootmenu",
                                  xml::attr("enable", &BootMenuDef::enable),
                                  xml::attr("timeout", &BootMenuDef::timeout_ms));
    return type;
}

static const xml::Type& describe(const BiosDef*) {
    static const xml::Type type =
        xml::element<BiosDef>("bios",
                              xml::attr("useserial", &BiosDef::use_serial),
                              xml::attr("rebootTimeout", &BiosDef::reboot_timeout_ms));
    return type;
}

static const xml::Type& describe(const AcpiTable*) {
    static const xml::Type type = xml::element<AcpiTable>(
        "table", xml::attr("type", &AcpiTable::type), xml::content(&AcpiTable::path));
    return type;
}

const xml::Type& describe(const OsDef*) {
    static const xml::Type type =
        xml::element<OsDef>("os",
                            xml::attr("firmware", &OsDef::firmware),
                            xml::group("type",
                                       xml::attr("arch", &OsDef::arch),
                                       xml::attr("machine", &OsDef::machine),
                                       xml::content(&OsDef::type)),
                            xml::group("firmware", xml::child(&OsDef::firmware_features)),
                            xml::child(&OsDef::loader),
                            xml::child(&OsDef::nvram),
                            xml::text("kernel", &OsDef::kernel),
                            xml::text("initrd", &OsDef::initrd),
                            xml::text("cmdline", &OsDef::cmdline),
                            xml::text("dtb", &OsDef::dtb),
                            xml::group("acpi", xml::child(&OsDef::acpi_tables)),
                            xml::each("boot", "dev", &OsDef::boot_devices),
                            xml::child(&OsDef::boot_menu),
                            xml::group("smbios", xml::attr("mode", &OsDef::smbios)),
                            xml::child(&OsDef::bios).omit_empty());
    return type;
}

} // namespace vireo::qemu
