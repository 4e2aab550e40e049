// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/hardware_names.hpp"

#include "libshared/log.hpp"

#include <systemd/sd-hwdb.h>

#include <memory>
#include <system_error>

namespace vireo::nodedev {

HardwareNames system_hardware_names() {
    sd_hwdb* opened = nullptr;
    const int result = sd_hwdb_new(&opened);
    if (result < 0) {
        log::info("devices are shown without vendors' names: no hardware database: {}",
                  std::generic_category().message(-result));
        return [](const std::string&, const char*) { return std::string(); };
    }
    const std::shared_ptr<sd_hwdb> database(opened, sd_hwdb_unref);
    return [database](const std::string& modalias, const char* key) {
        const char* value = nullptr;
        const int found = sd_hwdb_get(database.get(), modalias.c_str(), key, &value);
        return std::string(found < 0 || value == nullptr ? "" : value);
    };
}

} // namespace vireo::nodedev
