// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/hardware_names.hpp"

#include "libshared/log.hpp"

#include <systemd/sd-hwdb.h>

#include <memory>
#include <system_error>

namespace vireo::nodedev {

namespace {

using Database = std::shared_ptr<sd_hwdb>;

/// Null, and why in `result`, where there is none.
Database open_database(int& result) {
    sd_hwdb* opened = nullptr;
    result = sd_hwdb_new(&opened);
    return result < 0 ? nullptr : Database(opened, sd_hwdb_unref);
}

std::string look_up(const Database& database, const std::string& modalias, const char* key) {
    const char* value = nullptr;
    const int found = database ? sd_hwdb_get(database.get(), modalias.c_str(), key, &value) : -1;
    return found < 0 || value == nullptr ? "" : value;
}

} // namespace

HardwareNames open_hardware_names() {
    int result = 0;
    const Database database = open_database(result);
    if (!database) {
        log::info("devices are shown without vendors' names: no hardware database: {}",
                  std::generic_category().message(-result));
    }
    return [database](const std::string& modalias, const char* key) {
        return look_up(database, modalias, key);
    };
}

HardwareNames hardware_names() {
    return [](const std::string& modalias, const char* key) {
        int result = 0;
        return look_up(open_database(result), modalias, key);
    };
}

} // namespace vireo::nodedev
