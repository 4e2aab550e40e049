// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/xml/parse.hpp"
#include "nodedev-driver/model/mdevctl.hpp"
#include "nodedev-driver/model/node_device.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <string_view>
#include <vector>

namespace {

using namespace vireo;
using namespace vireo::nodedev;

constexpr std::string_view usage =
    "usage: vireo-nodedev-xml xml FILE\n"
    "       vireo-nodedev-xml mdevctl ACTION --env ENV FILE\n"
    "       vireo-nodedev-xml mdev-list FILE\n"
    "\n"
    "  xml         prints the document of a node device as it is read\n"
    "  mdevctl     prints the command that creates, defines, starts, stops or undefines the "
    "mediated\n"
    "              device, a JSON array; ENV's nodeDevices are the parents and their addresses\n"
    "  mdev-list   prints the documents of what `mdevctl list --dumpjson` told\n";

/// What no capability of this version has is passed over, as libvirt does without VALIDATE.
NodeDevice read_device(const std::string& path) {
    xml::ParseOptions options;
    options.unknown = xml::Unknown::report;
    return xml::parse<NodeDevice>(read_file(path), options);
}

void print_command(const std::string& word, const std::string& env, const std::string& path) {
    const auto action = xml::enum_of<MdevAction>(word);
    const NodeDevice device = read_device(path);
    const auto* mdev = std::get_if<MdevCapability>(&device.capability);
    if (!action || mdev == nullptr) {
        throw Error(ErrorCode::invalid_arg, "'{}' cannot be done with '{}'", word, device.name);
    }
    const auto parents =
        nlohmann::json::parse(read_file(env)).value("nodeDevices", nlohmann::json::object());
    const std::string parent = parents.value(device.parent.value_or(""), "");
    const bool makes = action == MdevAction::create || action == MdevAction::define;
    if (makes && parent.empty()) {
        throw Error(ErrorCode::no_node_device,
                    "the parent '{}' of '{}' is not there",
                    device.parent.value_or(""),
                    device.name);
    }
    std::cout << nlohmann::json(mdevctl_command(*action, *mdev, parent).words).dump() << '\n';
}

bool run(const std::vector<std::string>& words) {
    if (words.size() == 2 && words[0] == "xml") {
        std::cout << format_device(read_device(words[1]));
    } else if (words.size() == 5 && words[0] == "mdevctl" && words[2] == "--env") {
        print_command(words[1], words[3], words[4]);
    } else if (words.size() == 2 && words[0] == "mdev-list") {
        for (const NodeDevice& device : parse_mdevctl_list(read_file(words[1]))) {
            std::cout << format_device(device);
        }
    } else {
        std::cerr << usage;
        return false;
    }
    std::cout.flush();
    return true;
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (!run({argv + 1, argv + argc})) {
            return 2;
        }
        return std::cout ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "vireo-nodedev-xml: %s\n", e.what());
        return 1;
    }
}
