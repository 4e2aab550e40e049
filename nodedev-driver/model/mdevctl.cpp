// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/mdevctl.hpp"

#include "libshared/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vireo::nodedev {

namespace {

/// The order of attributes and devices is the order in which they are made.
using Json = nlohmann::ordered_json;

std::string definition_of(const MdevCapability& mdev) {
    Json definition;
    definition["mdev_type"] = mdev.type_id;
    definition["start"] = "manual";
    for (const MdevAttribute& attribute : mdev.attributes) {
        Json one;
        one[attribute.name] = attribute.value;
        definition["attrs"].push_back(std::move(one));
    }
    return definition.dump();
}

bool is_ccw(std::string_view address) {
    return std::ranges::count(address, '.') == 2 && address.find(':') == std::string_view::npos;
}

/// The device that the kernel calls so, by the form of its address.
std::string parent_name(const std::string& address) {
    if (address == "matrix") {
        return "ap_matrix";
    }
    if (is_ccw(address)) {
        return device_name("css", address);
    }
    return address.find(':') == std::string::npos ? std::string(computer_name)
                                                  : device_name("pci", address);
}

NodeDevice read_device(const std::string& parent, const std::string& uuid, const Json& definition) {
    MdevCapability mdev;
    mdev.type_id = definition.at("mdev_type");
    mdev.uuid = uuid;
    mdev.parent_addr = parent;
    for (const Json& one : definition.value("attrs", Json::array())) {
        for (const auto& [name, value] : one.items()) {
            mdev.attributes.push_back({name, value.get<std::string>()});
        }
    }
    NodeDevice device;
    device.name = device_name("mdev", uuid, parent);
    device.parent = parent_name(parent);
    device.capability = std::move(mdev);
    return device;
}

} // namespace

MdevctlCommand
mdevctl_command(MdevAction action, const MdevCapability& mdev, const std::string& parent) {
    MdevctlCommand command{.words = {"mdevctl"}, .input = {}};
    if (action == MdevAction::create || action == MdevAction::define) {
        command.words.emplace_back(action == MdevAction::create ? "start" : "define");
        command.words.push_back("--parent=" + parent);
        command.words.emplace_back("--jsonfile=/dev/stdin");
        command.input = definition_of(mdev);
    } else {
        command.words.emplace_back(xml::name_of(action));
    }
    if (!mdev.uuid.empty()) {
        command.words.push_back("--uuid=" + mdev.uuid);
    }
    return command;
}

std::vector<NodeDevice> parse_mdevctl_list(std::string_view text) {
    std::vector<NodeDevice> found;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return found; // nothing is defined
    }
    try {
        for (const Json& host : Json::parse(text)) {
            for (const auto& [parent, devices] : host.items()) {
                for (const Json& device : devices) {
                    for (const auto& [uuid, definition] : device.items()) {
                        found.push_back(read_device(parent, uuid, definition));
                    }
                }
            }
        }
    } catch (const nlohmann::json::exception& error) {
        throw Error(ErrorCode::parse_failed, "mdevctl's list cannot be read: {}", error.what());
    }
    return found;
}

} // namespace vireo::nodedev
