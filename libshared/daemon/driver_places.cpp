// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/driver_places.hpp"

#include <systemd/sd-daemon.h>

#include <filesystem>

namespace vireo {

DriverPlaces
places_of(std::string_view driver, const Options& options, const std::string& programs) {
    const std::string name(driver);
    const std::string runtime = options.directories.runtime + "/";
    DriverPlaces places{.daemon = "vireo-" + name,
                        .socket_name = name + ".sock",
                        .socket = runtime + name + ".sock",
                        .lock = runtime + name + ".pid",
                        .program = programs + "/vireo-" + name,
                        .arguments = {options.session ? "--session" : "--system"}};
    if (!options.root.empty()) {
        places.arguments.insert(places.arguments.end(), {"--root", options.root});
    }
    places.arguments.insert(places.arguments.end(),
                            {"--idle-timeout", std::to_string(options.idle_timeout.count())});
    if (options.root.empty() && !options.session && sd_booted() > 0) {
        places.socket_unit = places.daemon + ".socket";
    }
    return places;
}

std::string program_folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

} // namespace vireo
