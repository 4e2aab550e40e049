// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/options.hpp"

#include "libshared/error.hpp"

#include <getopt.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>

namespace vireo {

namespace {

constexpr const char* usage = R"(Usage: {} [OPTION...]

      --root DIR          keep sockets, definitions, state, caches and logs below DIR
      --system            serve the system (the default for root)
      --session           serve this user only (the default for others)
      --idle-timeout SEC  leave after SEC seconds without work; 0: never (default: 120)
      --log-level LEVEL   error, warning, notice, info or debug (default: info)
  -h, --help              show this text
      --version           show the version
)";

std::chrono::seconds seconds(std::string_view text) {
    unsigned value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) {
        throw Error(
            ErrorCode::invalid_arg, "--idle-timeout: '{}' is not a number of seconds", text);
    }
    return std::chrono::seconds(value);
}

std::string absolute_folder(const char* path) {
    const std::unique_ptr<char, void (*)(void*)> absolute(realpath(path, nullptr), &std::free);
    if (!absolute) { // an empty one, too: it must not mean the system's own folders
        throw Error(ErrorCode::invalid_arg,
                    "--root: folder '{}': {}",
                    path,
                    std::generic_category().message(errno));
    }
    return absolute.get();
}

log::Level level(std::string_view text) {
    using enum log::Level;
    for (const auto& [name, value] : {std::pair<std::string_view, log::Level>{"error", error},
                                      {"warning", warning},
                                      {"notice", notice},
                                      {"info", info},
                                      {"debug", debug}}) {
        if (name == text) {
            return value;
        }
    }
    throw Error(ErrorCode::invalid_arg,
                "--log-level: '{}' is not one of error, warning, notice, info, debug",
                text);
}

} // namespace

std::optional<Options> parse_options(const std::string& program, int argc, char** argv) {
    enum : int {
        root_option = 256,
        system_option,
        session_option,
        idle_option,
        level_option,
        version_option
    };

    static const option known[] = {{"root", required_argument, nullptr, root_option},
                                   {"system", no_argument, nullptr, system_option},
                                   {"session", no_argument, nullptr, session_option},
                                   {"idle-timeout", required_argument, nullptr, idle_option},
                                   {"log-level", required_argument, nullptr, level_option},
                                   {"version", no_argument, nullptr, version_option},
                                   {"help", no_argument, nullptr, 'h'},
                                   {nullptr, 0, nullptr, 0}};
    Options options;
    options.session = geteuid() != 0;
    opterr = 0;
    optind = 0; // forgets also where an earlier parse gave up within a word (getopt(3))
    for (int chosen = 0; (chosen = getopt_long(argc, argv, ":h", known, nullptr)) != -1;) {
        switch (chosen) {
        case root_option:
            options.root = absolute_folder(optarg);
            break;
        case system_option:
            options.session = false;
            break;
        case session_option:
            options.session = true;
            break;
        case idle_option:
            options.idle_timeout = seconds(optarg);
            break;
        case level_option:
            options.log_level = level(optarg);
            break;
        case version_option:
            std::printf("%s %s\n", program.c_str(), VIREO_VERSION);
            return std::nullopt;
        case 'h':
            std::fputs(fmt::format(fmt::runtime(usage), program).c_str(), stdout);
            return std::nullopt;
        case ':':
            throw Error(ErrorCode::invalid_arg, "'{}' needs a value", argv[optind - 1]);
        default:
            throw Error(ErrorCode::invalid_arg,
                        "unknown option '{}': see --help",
                        optopt > ' ' && optopt < root_option ? fmt::format("-{:c}", optopt)
                                                             : argv[optind - 1]);
        }
    }
    if (optind != argc) {
        throw Error(ErrorCode::invalid_arg, "unexpected argument '{}': see --help", argv[optind]);
    }
    if (!options.root.empty()) {
        options.directories = Directories::below(options.root);
    } else {
        options.directories = options.session ? Directories::session() : Directories::system();
    }
    return options;
}

} // namespace vireo
