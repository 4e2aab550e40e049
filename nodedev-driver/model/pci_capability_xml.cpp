// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

const xml::Type& describe(const PciAddress*) {
    static const xml::Type type =
        xml::element<PciAddress>("address",
                                 xml::attr("domain", &PciAddress::domain, xml::hex<4>),
                                 xml::attr("bus", &PciAddress::bus, xml::hex<2>),
                                 xml::attr("slot", &PciAddress::slot, xml::hex<2>),
                                 xml::attr("function", &PciAddress::function, xml::hex<1>));
    return type;
}

static const xml::Type& describe(const PhysicalFunction*) {
    static const xml::Type type = xml::element<PhysicalFunction>(
        "capability", nested_type<PhysicalFunction>(), xml::child(&PhysicalFunction::address));
    return type;
}

static const xml::Type& describe(const VirtualFunctions*) {
    static const xml::Type type = xml::element<VirtualFunctions>(
        "capability",
        nested_type<VirtualFunctions>(),
        xml::attr("maxCount", &VirtualFunctions::max_count).absent_is(0U),
        xml::child(&VirtualFunctions::addresses));
    return type;
}

static const xml::Type& describe(const PciHeader*) {
    static const xml::Type type = xml::element<PciHeader>("capability", nested_type<PciHeader>());
    return type;
}

namespace {

/// A number below 0 means no node.
void parse_numa(PciCapability& pci, const xml::Node& node, xml::Problems& problems) {
    int32_t number = -1;
    const std::string_view text = node.attribute("node").value_or("-1");
    const std::string problem = xml::Value<int32_t>{}.parse(text, number);
    if (!problem.empty()) {
        problems.add(node, fmt::format("attribute 'node': {} {}", xml::quoted(text), problem));
    } else if (number >= 0) {
        pci.numa_node = static_cast<uint32_t>(number);
    }
}

void write_numa(const PciCapability& pci, xml::Writer& writer) {
    if (pci.numa_node) {
        writer.open("numa");
        writer.attribute("node", fmt::format("{}", *pci.numa_node));
        writer.close();
    }
}

/// The two links of `<pci-express>`; an enumeration of two words for one attribute.
void parse_link(PcieInfo& pcie, const xml::Node& node, xml::Problems& problems) {
    const std::string_view validity = node.attribute("validity").value_or("");
    if (validity != "cap" && validity != "sta") {
        problems.add(
            node.line(),
            node.path(),
            fmt::format("attribute 'validity': {} is not one of cap, sta", xml::quoted(validity)));
        return;
    }
    PcieLink link;
    link.speed = node.attribute("speed").value_or("");
    std::string problem;
    if (const auto port = node.attribute("port")) {
        problem = xml::Value<uint32_t>{}.parse(*port, link.port.emplace());
    }
    if (problem.empty()) {
        problem = xml::Value<uint32_t>{}.parse(node.attribute("width").value_or("0"), link.width);
    }
    if (!problem.empty()) {
        problems.add(node.line(), node.path(), "attributes 'port', 'width': " + problem);
    }
    (validity == "cap" ? pcie.capability : pcie.status) = std::move(link);
}

void write_link(std::string_view validity,
                const std::optional<PcieLink>& link,
                xml::Writer& writer) {
    if (!link) {
        return;
    }
    writer.open("link");
    writer.attribute("validity", validity);
    if (link->port) {
        writer.attribute("port", fmt::format("{}", *link->port));
    }
    if (!link->speed.empty()) {
        writer.attribute("speed", link->speed);
    }
    writer.attribute("width", fmt::format("{}", link->width));
    writer.close();
}

void write_links(const PcieInfo& pcie, xml::Writer& writer) {
    write_link("cap", pcie.capability, writer);
    write_link("sta", pcie.status, writer);
}

} // namespace

const xml::Type& describe(const NamedId*) {
    static const xml::Type type =
        xml::element<NamedId>("product",
                              xml::attr("id", &NamedId::id, Identifier<4>{}),
                              xml::content(&NamedId::name).optional());
    return type;
}

static const xml::Type& describe(const PciPlace*) {
    static const xml::Type type =
        xml::element<PciPlace>("place",
                               xml::text("domain", &PciPlace::domain),
                               xml::text("bus", &PciPlace::bus),
                               xml::text("slot", &PciPlace::slot),
                               xml::text("function", &PciPlace::function));
    return type;
}

static const xml::Type& describe(const IommuGroup*) {
    static const xml::Type type = xml::element<IommuGroup>(
        "iommuGroup", xml::attr("number", &IommuGroup::number), xml::child(&IommuGroup::members));
    return type;
}

static const xml::Type& describe(const PcieInfo*) {
    static const xml::Type type =
        xml::element<PcieInfo>("pci-express", xml::custom<&parse_link, &write_links>("link"));
    return type;
}

const xml::Type& describe(const PciCapability*) {
    constexpr auto has_members = [](const PciCapability& pci) {
        return pci.iommu_group && !pci.iommu_group->members.empty();
    };
    static const xml::Type type =
        xml::element<PciCapability>("capability",
                                    xml::text("class", &PciCapability::class_code, Identifier<6>{}),
                                    xml::embed(&PciCapability::place),
                                    xml::child("product", &PciCapability::product),
                                    xml::child("vendor", &PciCapability::vendor),
                                    nested_if_known<PciCapability,
                                                    &PciCapability::physical_function,
                                                    &PciCapability::virtual_functions,
                                                    &PciCapability::header,
                                                    &PciCapability::mdev_types,
                                                    &PciCapability::vpd>(),
                                    xml::child(&PciCapability::iommu_group).write_if(has_members),
                                    xml::custom<&parse_numa, &write_numa>("numa"),
                                    xml::child(&PciCapability::pcie));
    return type;
}

} // namespace vireo::nodedev
