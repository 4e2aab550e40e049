// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/directories.hpp"
#include "libshared/daemon/options.hpp"
#include "libshared/error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

std::optional<Options> parse(std::vector<std::string> words) {
    std::string program = "vireo-testd";
    std::vector<char*> argv{program.data()};
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    return parse_options("vireo-testd", static_cast<int>(words.size()) + 1, argv.data());
}

std::string refusal(std::vector<std::string> words) {
    try {
        parse(std::move(words));
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::invalid_arg);
        return e.what();
    }
    return "";
}

/// Sets a variable, or unsets it where `value` is null, until the end of the test.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name) {
        const char* before = std::getenv(name);
        was_set_ = before != nullptr;
        before_ = was_set_ ? before : "";
        set(value);
    }

    Variable(const Variable&) = delete;

    ~Variable() { set(was_set_ ? before_.c_str() : nullptr); }

  private:
    void set(const char* value) {
        if (value == nullptr) {
            unsetenv(name_);
        } else {
            setenv(name_, value, 1);
        }
    }

    const char* name_;
    std::string before_;
    bool was_set_ = false;
};

} // namespace

TEST_CASE("without options a daemon serves the system for root, else the user") {
    const Options options = parse({}).value();
    CHECK(options.session == (geteuid() != 0));
    CHECK(options.root.empty());
    CHECK(options.idle_timeout == 120s);
    CHECK(options.log_level == log::Level::info);
    const Options system = parse({"--system"}).value();
    CHECK_FALSE(system.session);
    CHECK(system.directories.runtime == "/run/vireo");
    CHECK(system.directories.config == "/etc/vireo");
    CHECK(system.directories.state == "/var/lib/vireo");
    CHECK(system.directories.cache == "/var/cache/vireo");
    CHECK(system.directories.log == "/var/log/vireo");
}

TEST_CASE("each option is understood") {
    const TemporaryFolder folder;
    const Options options = parse({"--session",
                                   "--root",
                                   folder.path().string() + "/.",
                                   "--idle-timeout=0",
                                   "--log-level",
                                   "debug"})
                                .value();
    CHECK(options.session);
    CHECK(options.root == folder.path());
    CHECK(options.directories.runtime == folder.path().string() + "/run");
    CHECK(options.directories.config == folder.path().string() + "/etc");
    CHECK(options.directories.state == folder.path().string() + "/lib");
    CHECK(options.directories.cache == folder.path().string() + "/cache");
    CHECK(options.directories.log == folder.path().string() + "/log");
    CHECK(options.idle_timeout == 0s);
    CHECK(options.log_level == log::Level::debug);
}

TEST_CASE("a wrong option or value is refused by name") {
    CHECK(refusal({"--bogus"}) == "unknown option '--bogus': see --help");
    CHECK(refusal({"-xh"}) == "unknown option '-x': see --help");
    CHECK(refusal({"--system=yes"}) == "unknown option '--system=yes': see --help");
    CHECK(refusal({"extra"}) == "unexpected argument 'extra': see --help");
    CHECK(refusal({"--root"}) == "'--root' needs a value");
    CHECK(refusal({"--root", "/nonexistent/x"}) ==
          "--root: folder '/nonexistent/x': No such file or directory");
    CHECK(refusal({"--root", ""}) == "--root: folder '': No such file or directory");
    for (const char* value : {"", "x", "-1", "1s", "99999999999"}) {
        CHECK(refusal({"--idle-timeout", value}) ==
              fmt::format("--idle-timeout: '{}' is not a number of seconds", value));
    }
    CHECK(refusal({"--log-level", "loud"}) ==
          "--log-level: 'loud' is not one of error, warning, notice, info, debug");
}

TEST_CASE("a session's folders are the XDG ones; an empty or relative one counts as not set") {
    const Variable home("HOME", "/home/u");
    const Variable runtime("XDG_RUNTIME_DIR", "/run/user/1");
    const Variable config("XDG_CONFIG_HOME", "/c");
    const Variable state("XDG_STATE_HOME", "");
    const Variable cache("XDG_CACHE_HOME", "relative");
    const Directories session = Directories::session();
    CHECK(session.runtime == "/run/user/1/vireo");
    CHECK(session.config == "/c/vireo");
    CHECK(session.state == "/home/u/.local/state/vireo");
    CHECK(session.cache == "/home/u/.cache/vireo");
    CHECK(session.log == "/home/u/.local/state/vireo/log");
    const Variable no_runtime("XDG_RUNTIME_DIR", nullptr);
    CHECK(Directories::session().runtime == "/home/u/.local/state/vireo/run");
    const Variable no_home("HOME", nullptr);
    CHECK_THROWS_WITH_AS(
        Directories::session(),
        "neither $XDG_STATE_HOME nor $HOME holds an absolute path: set one, or give --root",
        Error);
}
