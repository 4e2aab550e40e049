// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/device_info.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

/// In the order of `Address`; the first, no address, has no word.
enum class AddressType {
    none,
    pci,
    drive,
    usb,
    virtio_serial,
    ccid,
    isa,
    dimm,
    virtio_mmio,
    unassigned
};

/// `1.4`: the ports on the way to a device through hubs.
struct PortPath {
    static constexpr std::size_t deepest = 4;

    std::string parse(std::string_view text, UsbPort& out) const {
        out.path.clear();
        while (true) {
            const std::size_t dot = text.find('.');
            uint32_t port = 0;
            const std::string wrong = xml::Value<uint32_t>{}.parse(text.substr(0, dot), port);
            if (!wrong.empty() || port == 0 || out.path.size() == deepest) {
                return fmt::format("is not a USB port: at most {} numbers from 1 on, with dots "
                                   "between them",
                                   deepest);
            }
            out.path.push_back(port);
            if (dot == std::string_view::npos) {
                return {};
            }
            text.remove_prefix(dot + 1);
        }
    }

    void format(const UsbPort& value, std::string& out) const {
        out += fmt::format("{}", fmt::join(value.path, "."));
    }
};

} // namespace

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::AddressType> {
    static constexpr std::array<std::string_view, 10> names{"",
                                                            "pci",
                                                            "drive",
                                                            "usb",
                                                            "virtio-serial",
                                                            "ccid",
                                                            "isa",
                                                            "dimm",
                                                            "virtio-mmio",
                                                            "unassigned"};
};

namespace vireo::qemu {

static const xml::Type& describe(const DriveAddress*) {
    static const xml::Type type =
        xml::element<DriveAddress>("address",
                                   xml::attr("controller", &DriveAddress::controller).optional(),
                                   xml::attr("bus", &DriveAddress::bus).optional(),
                                   xml::attr("target", &DriveAddress::target).optional(),
                                   xml::attr("unit", &DriveAddress::unit).optional());
    return type;
}

static const xml::Type& describe(const UsbAddress*) {
    static const xml::Type type =
        xml::element<UsbAddress>("address",
                                 xml::attr("bus", &UsbAddress::bus).optional(),
                                 xml::attr("port", &UsbAddress::port, PortPath{}));
    return type;
}

static const xml::Type& describe(const VirtioSerialAddress*) {
    static const xml::Type type = xml::element<VirtioSerialAddress>(
        "address",
        xml::attr("controller", &VirtioSerialAddress::controller).optional(),
        xml::attr("bus", &VirtioSerialAddress::bus).optional(),
        xml::attr("port", &VirtioSerialAddress::port));
    return type;
}

static const xml::Type& describe(const CcidAddress*) {
    static const xml::Type type =
        xml::element<CcidAddress>("address",
                                  xml::attr("controller", &CcidAddress::controller).optional(),
                                  xml::attr("slot", &CcidAddress::slot).optional());
    return type;
}

static const xml::Type& describe(const IsaAddress*) {
    static const xml::Type type =
        xml::element<IsaAddress>("address",
                                 xml::attr("iobase", &IsaAddress::iobase, xml::hex<1>),
                                 xml::attr("irq", &IsaAddress::irq, xml::hex<1>));
    return type;
}

static const xml::Type& describe(const DimmAddress*) {
    static const xml::Type type =
        xml::element<DimmAddress>("address",
                                  xml::attr("slot", &DimmAddress::slot, xml::any_base),
                                  xml::attr("base", &DimmAddress::base, xml::hex<1>));
    return type;
}

static const xml::Type& describe(const VirtioMmioAddress*) {
    static const xml::Type type = xml::element<VirtioMmioAddress>("address");
    return type;
}

static const xml::Type& describe(const UnassignedAddress*) {
    static const xml::Type type = xml::element<UnassignedAddress>("address");
    return type;
}

const xml::Type& describe(const PciAddress*) {
    const auto is_set = [](const PciAddress& a) { return a.is_set(); };
    static const xml::Type type = xml::element<PciAddress>(
        "address",
        xml::attr("domain", &PciAddress::domain, xml::hex<4>).optional().write_if(is_set),
        xml::attr("bus", &PciAddress::bus, xml::hex<2>).optional().write_if(is_set),
        xml::attr("slot", &PciAddress::slot, xml::hex<2>).optional().write_if(is_set),
        xml::attr("function", &PciAddress::function, xml::hex<1>).optional().write_if(is_set),
        xml::attr("multifunction", &PciAddress::multifunction));
    return type;
}

static const xml::Type& describe(const RomDef*) {
    static const xml::Type type = xml::element<RomDef>("rom",
                                                       xml::attr("enabled", &RomDef::enabled),
                                                       xml::attr("bar", &RomDef::bar),
                                                       xml::attr("file", &RomDef::file));
    return type;
}

static const xml::Type& describe(const DeviceBoot*) {
    static const xml::Type type =
        xml::element<DeviceBoot>("boot",
                                 xml::attr("order", &DeviceBoot::order),
                                 xml::attr("loadparm", &DeviceBoot::loadparm));
    return type;
}

const xml::Type& describe(const DeviceInfo*) {
    static const xml::Type type = xml::element<DeviceInfo>(
        "",
        xml::child(&DeviceInfo::boot),
        xml::group("acpi", xml::attr("index", &DeviceInfo::acpi_index)),
        xml::group("alias", xml::attr("name", &DeviceInfo::alias)),
        xml::child(&DeviceInfo::rom),
        xml::group("address",
                   xml::kind<AddressType>("type", &DeviceInfo::address).optional(),
                   xml::one_of(&DeviceInfo::address))
            .optional()
            .write_if([](const DeviceInfo& i) { return i.address.index() != 0; }));
    return type;
}

const xml::Type& describe(const VirtioOptions*) {
    static const xml::Type type =
        xml::element<VirtioOptions>("",
                                    xml::attr("iommu", &VirtioOptions::iommu),
                                    xml::attr("ats", &VirtioOptions::ats),
                                    xml::attr("packed", &VirtioOptions::packed),
                                    xml::attr("page_per_vq", &VirtioOptions::page_per_vq));
    return type;
}

} // namespace vireo::qemu
