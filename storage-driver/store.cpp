// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/store.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace vireo::storage {

namespace fs = std::filesystem;

PoolStore::PoolStore(Loop& loop, std::string config_folder, std::string runtime_folder)
    : loop_(loop), config_(std::move(config_folder)), runtime_(std::move(runtime_folder)) {
    make_folders(config_ + "/autostart");
    make_folders(runtime_);
}

std::string PoolStore::definition_path(const std::string& name) const {
    return fmt::format("{}/{}.xml", config_, name);
}

std::string PoolStore::autostart_path(const std::string& name) const {
    return fmt::format("{}/autostart/{}.xml", config_, name);
}

std::string PoolStore::running_path(const std::string& name) const {
    return fmt::format("{}/{}.xml", runtime_, name);
}

std::vector<PoolDef> PoolStore::load_folder(const std::string& folder) const {
    std::vector<PoolDef> found;
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        const fs::path path = entry->path();
        if (path.extension() != ".xml") {
            continue;
        }
        try {
            PoolDef pool = parse_pool(read_file(path.string()));
            if (pool.name != path.stem().string()) {
                throw Error(ErrorCode::xml_error,
                            "it is the document of pool '{}', whose file is '{}.xml'",
                            pool.name,
                            pool.name);
            }
            found.push_back(std::move(pool));
        } catch (const Error& error) {
            log::warning("'{}' is passed over: {}", path.string(), error.what());
        }
    }
    std::ranges::sort(found, {}, &PoolDef::name);
    return found;
}

std::map<std::string, PoolStore::Stored> PoolStore::load() const {
    std::map<std::string, Stored> pools;
    for (PoolDef& pool : load_folder(config_)) {
        Stored& stored = pools[pool.uuid];
        if (stored.definition) {
            log::warning("pool '{}' is passed over: '{}' has the same UUID",
                         pool.name,
                         stored.definition->name);
            continue;
        }
        std::error_code failed;
        stored.autostart = fs::exists(fs::symlink_status(autostart_path(pool.name), failed));
        stored.definition = std::move(pool);
    }
    for (PoolDef& pool : load_folder(runtime_)) {
        pools[pool.uuid].running = std::move(pool);
    }
    return pools;
}

Task<void> PoolStore::save_definition(PoolDef pool) {
    co_await save_file(loop_, definition_path(pool.name), format_pool(pool));
}

Task<void> PoolStore::remove_definition(std::string name) {
    // In this order: a mark without definition would wait for the next pool of that name.
    co_await delete_file(loop_, autostart_path(name));
    co_await delete_file(loop_, definition_path(name));
}

Task<void> PoolStore::save_autostart(std::string name, bool autostart) {
    if (autostart) {
        co_await save_file(loop_, autostart_path(name), std::string());
    } else {
        co_await delete_file(loop_, autostart_path(name));
    }
}

void PoolStore::save_running(const PoolDef& pool) const {
    write_file(running_path(pool.name), format_pool(pool));
}

void PoolStore::remove_running(const std::string& name) const {
    std::error_code ignored;
    fs::remove(running_path(name), ignored);
}

bool PoolStore::first_since_boot() const {
    const std::string mark = runtime_ + "/autostarted";
    std::error_code failed;
    if (fs::exists(mark, failed)) {
        return false;
    }
    write_file(mark, "");
    return true;
}

} // namespace vireo::storage
