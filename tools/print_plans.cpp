// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/print_plans.hpp"

#include "libshared/xml/document.hpp"
#include "libshared/xml/parse.hpp"
#include "qemu-driver/devices/plan_disk.hpp"
#include "qemu-driver/devices/plan_secret.hpp"

#include <iterator>

namespace vireo::qemu {

namespace {

constexpr std::string_view private_begin = "<privateData>", private_end = "</privateData>";

std::string without_private_data(std::string text) {
    for (auto at = text.find(private_begin); at != std::string::npos;
         at = text.find(private_begin)) {
        const auto end = text.find(private_end, at);
        text.erase(at, end + private_end.size() - at);
    }
    return text;
}

NodeNames names_in(const std::optional<xml::Node>& source) {
    NodeNames names;
    const auto data = source ? source->child("privateData") : std::nullopt;
    const auto list = data ? data->child("nodenames") : std::nullopt;
    for (auto node = list ? list->first() : std::nullopt; node; node = node->next()) {
        const std::string name(node->attribute("name").value_or(""));
        (node->attribute("type") == "storage" ? names.storage : names.format) = name;
    }
    names.auth_secret = names.storage + "-secalias";
    names.encryption_secret = names.format + "-encalias";
    names.cookie_secret = names.storage + "-httpcookie-secalias";
    names.slice = names.storage + "-slice";
    const auto alias = [&](const char* group, const char* element, const char* attribute) {
        const auto parent = data && *group != 0 ? data->child(group) : data;
        const auto node = parent ? parent->child(element) : std::nullopt;
        return std::string(node ? node->attribute(attribute).value_or("") : "");
    };
    names.tls_credentials = alias("objects", "TLSx509", "alias");
    names.reservations = alias("", "reservations", "mgralias");
    return names;
}

/// The names of each image of the chain, the top first.
std::vector<NodeNames> chain_names(const xml::Node& disk) {
    std::vector<NodeNames> all;
    for (std::optional<xml::Node> image = disk; image; image = image->child("backingStore")) {
        all.push_back(names_in(image->child("source")));
    }
    return all;
}

} // namespace

std::string print_blockdevs(const Environment& env, std::string_view text) {
    const xml::Document document = xml::Document::parse(text);
    const std::vector<NodeNames> names = chain_names(document.root());
    DomainDef def;
    def.devices.disks.push_back(xml::parse<DiskDef>(without_private_data(std::string(text))));
    DiskDef& disk = def.devices.disks.front();
    uint32_t place = 0;
    for (DiskImage* image = &disk.image; image != nullptr;
         image = image->base() != nullptr ? &*image->backing : nullptr) {
        image->index = place++;
    }
    LaunchFacts facts;
    facts.secrets = blank_secrets();
    facts.settings.gluster_debug_level = 0; // a property of the process, not of the disk
    DescriptorList descriptors(DescriptorList::Naming::numbers);
    const BootOrder boot(def);
    const PlanContext context{def, *env.qemu, facts, descriptors, boot};
    const Plan plan = plan_disk_images(
        context, disk, [&](const DiskImage& image) { return names.at(image.index.value_or(0)); });
    std::string printed;
    for (auto step = plan.rbegin(); step != plan.rend(); ++step) {
        if (step->command == "blockdev-add") {
            printed += step->props.dump(2) + "\n";
        }
    }
    return printed;
}

} // namespace vireo::qemu
