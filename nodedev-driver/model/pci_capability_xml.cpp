// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/pci_capability_xml.hpp"

#include "libshared/xml/binding.hpp"
#include "libshared/xml/parse.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

static const xml::Type& describe(const PciAddress*) {
    static const xml::Type type =
        xml::element<PciAddress>("address",
                                 xml::attr("domain", &PciAddress::domain, xml::hex<4>),
                                 xml::attr("bus", &PciAddress::bus, xml::hex<2>),
                                 xml::attr("slot", &PciAddress::slot, xml::hex<2>),
                                 xml::attr("function", &PciAddress::function, xml::hex<1>));
    return type;
}

namespace {

/// `pci-bridge`, `cardbus-bridge`: capabilities without contents.
constexpr std::string_view bridge_word(PciBridge bridge) {
    return bridge == PciBridge::pci ? "pci-bridge" : "cardbus-bridge";
}

void write_part(std::string_view word, xml::Writer& writer) {
    writer.open("capability");
    writer.attribute("type", word);
}

std::vector<PciAddress> addresses_in(const xml::Node& node, xml::Problems& problems) {
    std::vector<PciAddress> found;
    for (auto child = node.first(); child; child = child->next()) {
        if (child->name() == "address") {
            xml::read(found.emplace_back(), *child, problems);
        }
    }
    return found;
}

void parse_virtual_functions(PciCapability& pci, const xml::Node& node, xml::Problems& problems) {
    VirtualFunctions functions;
    functions.addresses = addresses_in(node, problems);
    if (const auto text = node.attribute("maxCount")) {
        uint32_t count = 0;
        const std::string problem = xml::Value<uint32_t>{}.parse(*text, count);
        if (!problem.empty()) {
            problems.add(node.line(), node.path(), "attribute 'maxCount': " + problem);
        }
        functions.max_count = count;
    }
    pci.virtual_functions = std::move(functions);
}

void parse_part(PciCapability& pci, const xml::Node& node, xml::Problems& problems) {
    const std::string_view word = node.attribute("type").value_or("");
    if (word == "phys_function") {
        const auto addresses = addresses_in(node, problems);
        if (addresses.size() != 1) {
            problems.add(node.line(), node.path(), "must have one address");
            return;
        }
        pci.physical_function = addresses.front();
    } else if (word == "virt_functions") {
        parse_virtual_functions(pci, node, problems);
    } else if (word == bridge_word(PciBridge::pci)) {
        pci.bridge = PciBridge::pci;
    } else if (word == bridge_word(PciBridge::cardbus)) {
        pci.bridge = PciBridge::cardbus;
    } else {
        problems.add(node.line(),
                     node.path(),
                     fmt::format("attribute 'type': {} is not known here", xml::quoted(word)));
    }
}

void write_parts(const PciCapability& pci, xml::Writer& writer) {
    if (pci.physical_function) {
        write_part("phys_function", writer);
        xml::write(*pci.physical_function, writer);
        writer.close();
    }
    if (pci.virtual_functions) {
        write_part("virt_functions", writer);
        if (pci.virtual_functions->max_count) {
            writer.attribute("maxCount", fmt::format("{}", *pci.virtual_functions->max_count));
        }
        for (const PciAddress& address : pci.virtual_functions->addresses) {
            xml::write(address, writer);
        }
        writer.close();
    }
    if (pci.bridge) {
        write_part(bridge_word(*pci.bridge), writer);
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
    static const xml::Type type = xml::element<NamedId>("product",
                                                        xml::attr("id", &NamedId::id, xml::hex<4>),
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
    static const xml::Type type = xml::element<PciCapability>(
        "capability",
        xml::text("class", &PciCapability::class_code, xml::hex<6>),
        xml::embed(&PciCapability::place),
        xml::child("product", &PciCapability::product),
        xml::child("vendor", &PciCapability::vendor),
        xml::custom<&parse_part, &write_parts>("capability"),
        xml::child(&PciCapability::iommu_group),
        xml::group("numa", xml::attr("node", &PciCapability::numa_node)),
        xml::child(&PciCapability::pcie));
    return type;
}

} // namespace vireo::nodedev
