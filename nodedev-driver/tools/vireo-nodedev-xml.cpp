// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/xml/parse.hpp"
#include "nodedev-driver/model/node_device.hpp"

#include <cstdio>
#include <iostream>
#include <string_view>

namespace {

using namespace vireo;
using namespace vireo::nodedev;

constexpr std::string_view usage = "usage: vireo-nodedev-xml xml FILE\n"
                                   "\n"
                                   "  xml     prints the document of a node device as it is read\n";

/// What no capability of this version has is passed over, as libvirt does without VALIDATE.
NodeDevice read_device(const std::string& path) {
    xml::ParseOptions options;
    options.unknown = xml::Unknown::report;
    return xml::parse<NodeDevice>(read_file(path), options);
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (argc != 3 || std::string_view(argv[1]) != "xml") {
            std::cerr << usage;
            return 2;
        }
        std::cout << format_device(read_device(argv[2])) << std::flush;
        return std::cout ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "vireo-nodedev-xml: %s\n", e.what());
        return 1;
    }
}
