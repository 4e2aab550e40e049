// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/memory_folders.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"

#include <algorithm>
#include <filesystem>

namespace vireo::qemu {

namespace {

bool is_on_huge_pages(const DomainDef& def) {
    const bool by_size = std::ranges::any_of(def.devices.memories, [](const MemoryDeviceDef& m) {
        return m.source && m.source->page_size_kib;
    });
    return by_size || (def.memory_backing && def.memory_backing->hugepages);
}

/// A cell or a device with an access mode of its own is a file where nothing else is said.
bool is_in_files(const DomainDef& def) {
    const auto has_access = [](const auto& one) { return one.access.has_value(); };
    return (def.memory_backing && (def.memory_backing->source == MemoryBackingSource::file ||
                                   def.memory_backing->access)) ||
           (def.cpu && std::ranges::any_of(def.cpu->cells, has_access)) ||
           std::ranges::any_of(def.devices.memories, has_access);
}

void remove_folder(const std::string& folder) noexcept {
    std::error_code failure;
    std::filesystem::remove_all(folder, failure);
    if (failure) {
        log::warning("remove '{}': {}", folder, failure.message());
    }
}

} // namespace

MemoryFolders::MemoryFolders(const DomainDef& def, const LaunchFacts& facts) {
    if (is_in_files(def)) {
        remove_folder(facts.memory_backing_dir); // of a host that went down in a start
        make_folders(facts.memory_backing_dir);
        folders_.push_back(facts.memory_backing_dir);
    }
    if (!is_on_huge_pages(def)) {
        return;
    }
    for (const HugePageDir& dir : facts.huge_pages) {
        if (dir.path.empty()) {
            continue;
        }
        try {
            make_folders(dir.path);
            folders_.push_back(dir.path);
        } catch (const Error& e) {
            // Where the guest lies on memfd, or on pages of another size, nobody needs it.
            log::info("no folder for huge pages of {} KiB: {}", dir.size_kib, e.what());
        }
    }
}

MemoryFolders::~MemoryFolders() {
    for (const std::string& folder : folders_) {
        remove_folder(folder);
    }
}

void remove_memory_folders(const LaunchFacts& facts) noexcept {
    remove_folder(facts.memory_backing_dir);
    for (const HugePageDir& dir : facts.huge_pages) {
        if (!dir.path.empty()) {
            remove_folder(dir.path);
        }
    }
}

} // namespace vireo::qemu
