// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/backend/image_command.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vireo::storage {

namespace {

/// qemu-img writes these, and libvirt lets them be created; iso is raw with another name.
bool can_be_created(VolumeFormat format) {
    switch (format) {
    case VolumeFormat::raw:
    case VolumeFormat::iso:
    case VolumeFormat::qcow2:
    case VolumeFormat::qcow:
    case VolumeFormat::qed:
    case VolumeFormat::vmdk:
    case VolumeFormat::vdi:
    case VolumeFormat::vpc:
        return true;
    default:
        return false;
    }
}

void refuse(const VolumeDef& volume, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "volume '{}': format '{}' has no {}",
                volume.name,
                xml::name_of(volume.target.format.type),
                what);
}

void require_creatable(const VolumeDef& volume, bool preallocate) {
    const VolumeTarget& target = volume.target;
    const VolumeFormat format = target.format.type;
    if (!can_be_created(format)) {
        throw Error(ErrorCode::config_unsupported,
                    "volume '{}': images of format '{}' cannot be created",
                    volume.name,
                    xml::name_of(format));
    }
    if (target.encryption) {
        throw Error(ErrorCode::config_unsupported,
                    "volume '{}': encrypted volumes cannot be created yet",
                    volume.name);
    }
    const bool qcow2 = format == VolumeFormat::qcow2;
    if (preallocate && !qcow2) {
        refuse(volume, "metadata to preallocate");
    }
    if (!qcow2 && (target.features || target.cluster_size != 0)) {
        refuse(volume, "features and no cluster size");
    }
    if (volume.backing && !qcow2 && format != VolumeFormat::qcow && format != VolumeFormat::qed &&
        format != VolumeFormat::vmdk) {
        refuse(volume, "backing file");
    }
    const VolumeFeatures features = target.features.value_or(VolumeFeatures{});
    if (target.compat == "0.10" && (features.lazy_refcounts || features.extended_l2)) {
        throw Error(ErrorCode::config_unsupported,
                    "volume '{}': lazy_refcounts and extended_l2 need compat 1.1",
                    volume.name);
    }
}

std::vector<std::string> options_of(const VolumeDef& volume, bool preallocate) {
    const VolumeTarget& target = volume.target;
    std::vector<std::string> options;
    if (volume.backing) {
        options.push_back(fmt::format("backing_fmt={}", xml::name_of(volume.backing->format.type)));
    }
    if (preallocate) {
        options.emplace_back("preallocation=metadata");
    }
    if (target.nocow) {
        options.emplace_back("nocow=on");
    }
    if (target.format.type == VolumeFormat::qcow2) {
        // What libvirt documents for a volume that does not say.
        options.push_back(fmt::format("compat={}", target.compat.value_or("0.10")));
    }
    if (target.cluster_size != 0) {
        options.push_back(fmt::format("cluster_size={}", target.cluster_size));
    }
    if (target.features && target.features->lazy_refcounts) {
        options.emplace_back("lazy_refcounts");
    }
    if (target.features && target.features->extended_l2) {
        options.emplace_back("extended_l2=on");
    }
    const uint64_t capacity = volume.capacity.value_or(0);
    if (target.format.type == VolumeFormat::raw && capacity != 0 &&
        volume.allocation.value_or(capacity) >= capacity) {
        options.emplace_back("preallocation=falloc");
    }
    return options;
}

std::string size_text(uint64_t bytes) {
    return fmt::format("{}K", bytes / 1024 + (bytes % 1024 != 0 ? 1 : 0));
}

std::string_view image_format(VolumeFormat format) {
    return format == VolumeFormat::iso ? "raw" : xml::name_of(format);
}

} // namespace

std::vector<std::string>
create_image_arguments(const VolumeDef& volume, const std::string& path, bool preallocate) {
    require_creatable(volume, preallocate);
    std::vector<std::string> arguments{
        "create", "-f", std::string(image_format(volume.target.format.type))};
    if (volume.backing) {
        arguments.insert(arguments.end(), {"-b", *volume.backing->path});
    }
    const auto options = options_of(volume, preallocate);
    if (!options.empty()) {
        arguments.insert(arguments.end(), {"-o", fmt::format("{}", fmt::join(options, ","))});
    }
    arguments.push_back(path);
    // Without a size, an image takes its backing file's.
    if (volume.capacity.value_or(0) != 0 || !volume.backing) {
        arguments.push_back(size_text(volume.capacity.value_or(0)));
    }
    return arguments;
}

std::vector<std::string> resize_image_arguments(
    VolumeFormat format, const std::string& path, uint64_t bytes, bool allocate, bool shrink) {
    std::vector<std::string> arguments{"resize", "-f", std::string(image_format(format))};
    if (allocate) {
        arguments.emplace_back("--preallocation=falloc");
    }
    if (shrink) {
        arguments.emplace_back("--shrink");
    }
    arguments.push_back(path);
    arguments.push_back(size_text(bytes));
    return arguments;
}

} // namespace vireo::storage
