// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/log.hpp"
#include "libshared/xml/document_error.hpp"
#include "tools/request.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>
#include <vector>

namespace {

using namespace vireo;
using namespace vireo::tool;

constexpr std::string_view usage =
    "usage: vireo-xml VERB [OPTION...] KIND FILE\n"
    "\n"
    "  argv domain      prints the QEMU command line of a guest, a JSON array\n"
    "  argv nodedev     prints the mdevctl command of a mediated device (--action), a JSON array\n"
    "  xml KIND         prints the completed document: of a domain, nodedev, mdev-list (mdevctl's\n"
    "                   JSON), pool or volume\n"
    "  check KIND       prints what is wrong with the document, a line for each mistake, and, "
    "where\n"
    "                   nothing is, what is passed over as not known\n"
    "  memlock domain   prints how many bytes of memory QEMU must be allowed to lock\n"
    "  blockdev disk    prints the block nodes of a disk that names them, top first (--env)\n"
    "\n"
    "      --active     the document describes a running guest (ids, aliases are kept)\n"
    "      --inactive   it is a definition (the default)\n"
    "      --validate   refuses what is passed over otherwise (domain)\n"
    "      --root DIR   the instance of this host whose state is below DIR\n"
    "      --env FILE   the host, as the conformance environment describes one, not this one\n"
    "      --new        with --env: the document is new; otherwise it counts as stored earlier\n"
    "      --generic    with --env: only what the document means to any hypervisor\n"
    "      --device FILE  a device that the guest is given, or loses: 'xml domain' prints what "
    "the\n"
    "                   running guest's document is then (--env, --active)\n"
    "      --action A   of a node device: create, define, start, stop or undefine; of --device:\n"
    "                   attach, detach or update\n"
    "  -h, --help       show this text\n"
    "      --version    show the version\n"
    "\n"
    "FILE may be - for the standard input. Exit status: 0, 1 where the document is refused, 2\n"
    "where the command line is not understood.\n";

constexpr const Kind* kinds[] = {
    &disk_kind, &domain_kind, &mdev_list_kind, &nodedev_kind, &pool_kind, &volume_kind};

const Kind* kind_of(const Request& request) {
    for (const Kind* kind : kinds) {
        if (kind->name == request.kind && std::ranges::count(kind->verbs, request.verb) != 0) {
            return kind;
        }
    }
    return nullptr;
}

/// Where the words are options; false where one is not known.
bool take_options(std::vector<std::string>& words, Request& out) {
    std::vector<std::string> others;
    for (auto word = words.begin(); word != words.end(); ++word) {
        const auto value = [&](std::string& to) {
            if (word + 1 == words.end()) {
                return false;
            }
            to = *++word;
            return true;
        };
        bool good = true;
        if (*word == "--active") {
            out.active = true;
        } else if (*word == "--inactive") {
            out.active = false;
        } else if (*word == "--new") {
            out.new_definition = true;
        } else if (*word == "--generic") {
            out.generic = true;
        } else if (*word == "--validate") {
            out.validate = true;
        } else if (*word == "--env") {
            good = value(out.env);
        } else if (*word == "--root") {
            good = value(out.root);
        } else if (*word == "--action") {
            good = value(out.action);
        } else if (*word == "--device") {
            good = value(out.device);
        } else if (word->starts_with('-') && *word != "-") {
            return false;
        } else {
            others.push_back(*word);
        }
        if (!good) {
            return false;
        }
    }
    words = std::move(others);
    return true;
}

std::optional<Request> understood(std::vector<std::string> words) {
    Request request;
    if (!take_options(words, request) || words.size() != 3) {
        return std::nullopt;
    }
    request.verb = words[0];
    request.kind = words[1];
    request.file = words[2] == "-" ? "/dev/stdin" : words[2];
    return request;
}

void print_problem(const char* text) {
    std::fprintf(stderr, "vireo-xml: %s\n", text);
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words == std::vector<std::string>{"--help"} || words == std::vector<std::string>{"-h"}) {
        std::cout << usage;
        return 0;
    }
    if (words == std::vector<std::string>{"--version"}) {
        std::cout << "vireo-xml " VIREO_VERSION "\n";
        return 0;
    }
    const auto request = understood(words);
    const Kind* kind = request ? kind_of(*request) : nullptr;
    if (!kind) {
        std::cerr << usage;
        return 2;
    }
    log::configure("vireo-xml", log::Level::error);
    umask(0077);
    try {
        kind->run(*request);
        std::cout.flush();
        return std::cout ? 0 : 1;
    } catch (const xml::DocumentError& e) {
        for (const std::string& problem : e.each()) {
            print_problem(problem.c_str());
        }
    } catch (const std::exception& e) {
        print_problem(e.what());
    }
    return 1;
}
