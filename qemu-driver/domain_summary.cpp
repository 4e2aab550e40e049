// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/domain_summary.hpp"

namespace vireo::qemu {

DomainSummary summary_of(const DomainDef& def) {
    DomainSummary summary;
    summary.memory_kib = def.memory.total_kib;
    summary.current_memory_kib = def.memory.current_kib.value_or(def.memory.total_kib);
    summary.vcpus = def.vcpus.maximum;
    summary.current_vcpus = def.vcpus.current.value_or(def.vcpus.maximum);
    for (const DiskDef& disk : def.devices.disks) {
        for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
            const bool backing = image != &disk.image;
            summary.images.push_back({disk.target.dev, local_path(*image).value_or(""), backing});
        }
    }
    summary.images.shrink_to_fit();
    if (def.os.nvram) {
        summary.nvram = local_path(def.os.nvram->storage()).value_or("");
    }
    return summary;
}

std::optional<std::string> local_path(const DiskImage& image) {
    if (const auto* file = std::get_if<FileSource>(&image.source)) {
        return file->path;
    }
    if (const auto* block = std::get_if<BlockSource>(&image.source)) {
        return block->path;
    }
    return std::nullopt;
}

} // namespace vireo::qemu
