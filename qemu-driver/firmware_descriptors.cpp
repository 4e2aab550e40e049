// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/firmware_descriptors.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/capabilities/firmware.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

namespace fs = std::filesystem;

fs::path own_folder(const Options& options) {
    const fs::path config = options.directories.config;
    if (!options.root.empty()) {
        return config;
    }
    return options.session ? config.parent_path() : fs::path();
}

} // namespace

FirmwareDescriptors::FirmwareDescriptors(const Options& options)
    : folders_(firmware_dirs(own_folder(options))) {}

const std::vector<FirmwareFacts>& FirmwareDescriptors::all() {
    Marks marks = look();
    if (!read_ || marks != marks_) {
        std::vector<std::string> problems;
        known_ = read_firmware(folders_, problems);
        for (const std::string& problem : problems) {
            log::warning("{}", problem);
        }
        marks_ = std::move(marks);
        read_ = true;
    }
    return known_;
}

FirmwareDescriptors::Marks FirmwareDescriptors::look() const {
    Marks marks;
    for (const fs::path& folder : folders_) {
        std::error_code unreadable; // a folder that is not there has no descriptors
        for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
            struct stat status {};

            if (stat(entry.path().c_str(), &status) == 0) {
                marks.emplace_back(entry.path().string(), mark_of(status));
            }
        }
    }
    std::ranges::sort(marks, {}, &Marks::value_type::first);
    return marks;
}

} // namespace vireo::qemu
