// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/memlock.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/tools/environment.hpp"
#include "qemu-driver/tools/launch_environment.hpp"
#include "qemu-driver/tools/print_plans.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace vireo;
using namespace vireo::qemu;

constexpr std::string_view usage =
    "usage: vireo-xml xml|argv|check|memlock [--active|--inactive] [--new] [--generic]\n"
    "                 [--validate] --env FILE "
    "domain FILE\n"
    "       vireo-xml blockdev --env FILE disk FILE\n"
    "\n"
    "  xml       prints the completed document\n"
    "  argv      prints QEMU's command line, a JSON array\n"
    "  check     prints what is wrong with the document, and what is passed over, and its line\n"
    "  memlock   prints how many bytes of memory QEMU must be allowed to lock\n"
    "  blockdev  prints the block nodes of a disk that names them, top first\n"
    "\n"
    "  --active     the document describes a running guest (ids, aliases are kept)\n"
    "  --new        it defines a new guest; otherwise it counts as stored earlier\n"
    "  --generic    only what the document means to any hypervisor; xml and check\n"
    "  --validate   refuses what is passed over otherwise: what the format does not know\n"
    "  --env FILE   the host, as the conformance environment describes one\n";

struct Arguments {
    std::string verb;
    std::string env;
    std::string file;
    PassOptions options;
    bool validate = false;
};

bool is_known(std::string_view verb, std::string_view kind) {
    const std::string_view domain_verbs[] = {"xml", "argv", "check", "memlock"};
    return kind == "domain" ? std::ranges::find(domain_verbs, verb) != std::end(domain_verbs)
                            : kind == "disk" && verb == "blockdev";
}

std::optional<Arguments> parse_arguments(int argc, char** argv) {
    Arguments out;
    std::vector<std::string> words;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--active") {
            out.options.active = true;
        } else if (word == "--inactive") {
            out.options.active = false;
        } else if (word == "--new") {
            out.options.new_definition = true;
        } else if (word == "--generic") {
            out.options.any_hypervisor = true;
        } else if (word == "--validate") {
            out.validate = true;
        } else if (word == "--env" && i + 1 < argc) {
            out.env = argv[++i];
        } else if (word.starts_with("--")) {
            return std::nullopt;
        } else {
            words.emplace_back(word);
        }
    }
    if (words.size() != 3 || !is_known(words[0], words[1]) || out.env.empty()) {
        return std::nullopt;
    }
    out.verb = words[0];
    out.file = words[2];
    return out;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        throw Error(ErrorCode::read_failed, "cannot read '{}'", path);
    }
    return std::move(text).str();
}

void run(const Arguments& arguments) {
    const Environment env = load_environment(arguments.env);
    PassOptions options = arguments.options;
    options.new_definition |= env.settings.value("abiUpdate", false);
    if (arguments.verb == "blockdev") {
        std::cout << print_blockdevs(env, read_file(arguments.file));
        return;
    }
    xml::Problems unknowns;
    DomainDef def = parse_domain(read_file(arguments.file), options.active, &unknowns);
    if (arguments.validate) {
        unknowns.raise();
    }
    complete_domain(def, env.facts, options);
    if (arguments.verb == "xml") {
        const DomainView view{.active = options.active, .secure = true, .migratable = false};
        std::cout << format_domain(def, view);
    } else if (arguments.verb == "argv") {
        options.new_definition = true; // what an older definition left open is chosen at a start
        assign_addresses(def, env.facts, options);
        const nlohmann::json argv = command_line_in(env.settings, *env.qemu, std::move(def));
        std::cout << argv.dump() << '\n';
    } else if (arguments.verb == "check") {
        for (const xml::Problem& unknown : unknowns.list()) {
            std::cout << unknown.text() << '\n';
        }
    } else if (arguments.verb == "memlock") {
        std::cout << locked_memory_limit(def) << '\n';
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        const auto arguments = parse_arguments(argc, argv);
        if (!arguments) {
            std::cerr << usage;
            return 2;
        }
        run(*arguments);
        std::cout.flush();
        return std::cout ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "vireo-xml: %s\n", e.what());
        return 1;
    }
}
