// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/directories.hpp"

#include "libshared/error.hpp"

#include <unistd.h>

#include <cstdlib>

namespace vireo {

namespace {

/// The XDG base directory specification: an empty or relative value counts as not set.
std::string base(const char* variable, const char* below_home) {
    const char* value = std::getenv(variable);
    if (value != nullptr && value[0] == '/') {
        return value;
    }
    const char* home = std::getenv("HOME");
    if (home == nullptr || home[0] != '/') {
        throw Error(ErrorCode::operation_invalid,
                    "neither ${} nor $HOME holds an absolute path: set one, or give --root",
                    variable);
    }
    return std::string(home) + "/" + below_home;
}

} // namespace

Directories Directories::system() {
    return {"/run/vireo", "/etc/vireo", "/var/lib/vireo", "/var/cache/vireo", "/var/log/vireo"};
}

Directories Directories::session() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const bool given = runtime != nullptr && runtime[0] == '/';
    const std::string state = base("XDG_STATE_HOME", ".local/state") + "/vireo";
    return {given ? std::string(runtime) + "/vireo" : state + "/run",
            base("XDG_CONFIG_HOME", ".config") + "/vireo",
            state,
            base("XDG_CACHE_HOME", ".cache") + "/vireo",
            state + "/log"};
}

Directories Directories::below(const std::string& root) {
    return {root + "/run", root + "/etc", root + "/lib", root + "/cache", root + "/log"};
}

} // namespace vireo
