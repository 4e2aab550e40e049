// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/sysfs.hpp"
#include "libshared/xml/parse.hpp"
#include "nodedev-driver/model/mdevctl.hpp"
#include "nodedev-driver/model/node_device.hpp"
#include "tools/request.hpp"

#include <nlohmann/json.hpp>

#include <iostream>

namespace vireo::tool {

namespace {

using namespace nodedev;

constexpr std::string_view nodedev_verbs[] = {"argv", "check", "xml"};
constexpr std::string_view mdev_list_verbs[] = {"check", "xml"};

/// What no capability of this version has is passed over, as libvirt does without VALIDATE; a check
/// tells of it.
NodeDevice read_device(const Request& request) {
    xml::ParseOptions options;
    options.unknown = request.verb == "check" ? xml::Unknown::refuse : xml::Unknown::report;
    return xml::parse<NodeDevice>(read_file(request.file), options);
}

/// Of `pci_0000_00_02_0` on this host, where such a function is there.
std::string host_address(const std::string& name) {
    constexpr std::string_view prefix = "pci_";
    constexpr std::string_view form = "0000:00:00.0";
    if (!name.starts_with(prefix) || name.size() != prefix.size() + form.size()) {
        return {};
    }
    std::string address = name.substr(prefix.size());
    for (std::size_t i = 0; i < form.size(); ++i) {
        address[i] = form[i] == '0' ? address[i] : form[i];
    }
    return Sysfs().exists("/sys/bus/pci/devices/" + address) ? address : std::string();
}

/// The address of the device with that name, in its bus's form; empty where it is not there.
std::string address_of(const std::string& name, const std::string& env) {
    if (!env.empty()) {
        const auto devices =
            nlohmann::json::parse(read_file(env)).value("nodeDevices", nlohmann::json::object());
        return devices.value(name, "");
    }
    return host_address(name);
}

void print_command(const Request& request) {
    const auto action = xml::enum_of<MdevAction>(request.action);
    const NodeDevice device = read_device(request);
    const auto* mdev = std::get_if<MdevCapability>(&device.capability);
    if (!action || mdev == nullptr) {
        throw Error(ErrorCode::invalid_arg,
                    "--action '{}' cannot be done with '{}'",
                    request.action,
                    device.name);
    }
    const std::string parent_name = device.parent.value_or("");
    const std::string parent = address_of(parent_name, request.env);
    const bool makes = action == MdevAction::create || action == MdevAction::define;
    if (makes && parent.empty()) {
        throw Error(ErrorCode::no_node_device,
                    "the parent '{}' of '{}' is not there",
                    parent_name,
                    device.name);
    }
    std::cout << nlohmann::json(mdevctl_command(*action, *mdev, parent).words).dump() << '\n';
}

void run_nodedev(const Request& request) {
    if (request.verb == "argv") {
        print_command(request);
        return;
    }
    const NodeDevice device = read_device(request);
    if (request.verb == "xml") {
        std::cout << format_device(device);
    }
}

void run_mdev_list(const Request& request) {
    for (const NodeDevice& device : parse_mdevctl_list(read_file(request.file))) {
        if (request.verb == "xml") {
            std::cout << format_device(device);
        }
    }
}

} // namespace

constinit const Kind mdev_list_kind{"mdev-list", mdev_list_verbs, &run_mdev_list};
constinit const Kind nodedev_kind{"nodedev", nodedev_verbs, &run_nodedev};

} // namespace vireo::tool
