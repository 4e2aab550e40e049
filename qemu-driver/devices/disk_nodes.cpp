// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/disk_nodes.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

namespace {

DiskImage* base_of(DiskImage& image) {
    return image.base() != nullptr ? &*image.backing : nullptr;
}

} // namespace

uint32_t last_node_number(const DomainDef& def) {
    uint32_t last = 0;
    const auto look = [&](const DiskImage& top) {
        for (const DiskImage* image = &top; image != nullptr; image = image->base()) {
            last = std::max(last, image->index.value_or(0));
        }
    };
    for (const DiskDef& disk : def.devices.disks) {
        look(disk.image);
        if (disk.mirror) {
            look(disk.mirror->image);
        }
    }
    return last;
}

uint32_t assign_node_numbers(DomainDef& def, uint32_t used) {
    const auto each_image = [&def](const auto& visit) {
        // Last disk first, as libvirt numbers them: its tools expect the names.
        for (auto disk = def.devices.disks.rbegin(); disk != def.devices.disks.rend(); ++disk) {
            for (DiskImage* image = &disk->image; image != nullptr; image = base_of(*image)) {
                visit(*image);
            }
        }
    };
    each_image([&](const DiskImage& image) { used = std::max(used, image.index.value_or(0)); });
    each_image([&](DiskImage& image) {
        if (!image.index) {
            image.index = ++used;
        }
    });
    return used;
}

NodeNames node_names(const std::string& stem) {
    NodeNames names;
    names.storage = stem + "-storage";
    names.slice = stem + "-slice-sto";
    names.format = stem + "-format";
    names.auth_secret = names.storage + "-auth-secret0";
    names.encryption_secret = names.format + "-encryption-secret0";
    names.cookie_secret = names.storage + "-httpcookie-secret0";
    names.tls_credentials = fmt::format("obj{}_tls0", names.storage);
    names.reservations = "pr-helper-" + names.storage;
    return names;
}

NodeNames node_names(const DiskImage& image) {
    if (!image.index) {
        throw Error(ErrorCode::internal, "a disk image has no node number yet");
    }
    NodeNames names = node_names(fmt::format("libvirt-{}", *image.index));
    if (uses_managed_reservations(image)) {
        names.reservations = managed_reservations;
    }
    return names;
}

namespace {

/// QEMU's driver for each format, in the order of DiskFormat; empty: not a format of an image.
constexpr std::array<std::string_view, 18> format_drivers{"",
                                                          "raw",
                                                          "",
                                                          "bochs",
                                                          "cloop",
                                                          "dmg",
                                                          "",
                                                          "vpc",
                                                          "vdi",
                                                          "",
                                                          "vhdx",
                                                          "parallels",
                                                          "luks",
                                                          "",
                                                          "qcow",
                                                          "qcow2",
                                                          "qed",
                                                          "vmdk"};

bool has_backing(DiskFormat format) {
    return format == DiskFormat::qcow || format == DiskFormat::qcow2 || format == DiskFormat::qed ||
           format == DiskFormat::vmdk;
}

void add_cache(json& node, const std::optional<DiskCache>& cache) {
    if (!cache || *cache == DiskCache::default_) {
        return;
    }
    json& options = node["cache"];
    options["direct"] = *cache == DiskCache::none || *cache == DiskCache::directsync;
    options["no-flush"] = *cache == DiskCache::unsafe;
}

void add_discard(json& node, const NodeOptions& options) {
    if (options.discard) {
        node["discard"] = name_of(*options.discard);
    }
    if (options.detect_zeroes) {
        // Unmapping zeroes needs permission to unmap; without it the zeroes are still detected.
        const bool lowered =
            *options.detect_zeroes == DetectZeroes::unmap && options.discard != DiskDiscard::unmap;
        node["detect-zeroes"] = name_of(lowered ? DetectZeroes::on : *options.detect_zeroes);
    }
}

/// The driver and place of the bytes, one function for each kind of source.
class SourceWriter {
  public:
    SourceWriter(const PlanContext& context,
                 const DiskImage& image,
                 const NodeNames& names,
                 const NodeOptions& options)
        : context_(context), image_(image), names_(names), options_(options) {}

    json operator()(const FileSource& source) const {
        return host_file("file", source.path.value_or(""));
    }

    json operator()(const BlockSource& source) const {
        const std::string path = source.path.value_or("");
        const bool drive = options_.is_cdrom && context_.facts.cdrom_drives.contains(path);
        return host_file(drive ? "host_cdrom" : "host_device", path);
    }

    json operator()(const DirSource& source) const {
        json node = json::object();
        node["driver"] = "vvfat";
        node["dir"] = source.path.value_or("");
        node["floppy"] = options_.is_floppy;
        node["rw"] = false;
        return node;
    }

    json operator()(const NvmeSource& source) const {
        if (!context_.caps.block_drivers.contains("nvme")) {
            throw Error(ErrorCode::config_unsupported,
                        "disk type 'nvme': '{}' has no NVMe block driver",
                        context_.caps.binary);
        }
        const PciAddress& at = source.controller;
        json node = json::object();
        node["driver"] = "nvme";
        node["device"] =
            fmt::format("{:04x}:{:02x}:{:02x}.{:x}", at.domain, at.bus, at.slot, at.function);
        node["namespace"] = source.namespace_id;
        return node;
    }

    json operator()(const NetworkSource&) const { return network_source(context_, image_, names_); }

    json operator()(const VolumeSource& source) const {
        throw Error(ErrorCode::internal,
                    "volume '{}' of pool '{}' was not resolved before the start",
                    source.volume,
                    source.pool);
    }

    [[noreturn]] json operator()(const VhostUserSource&) const { refuse("type 'vhostuser'"); }

    [[noreturn]] json operator()(const VhostVdpaSource&) const { refuse("type 'vhostvdpa'"); }

  private:
    [[noreturn]] static void refuse(std::string_view what) {
        throw Error(ErrorCode::config_unsupported, "disk source: {} is not supported", what);
    }

    json host_file(const char* driver, const std::string& path) const {
        json node = json::object();
        node["driver"] = driver;
        node["filename"] = path;
        if (options_.io) {
            if (!context_.caps.file_aio.contains(name_of(*options_.io))) {
                throw Error(ErrorCode::config_unsupported,
                            "disk driver io='{}': '{}' cannot do it",
                            name_of(*options_.io),
                            context_.caps.binary);
            }
            node["aio"] = name_of(*options_.io);
        }
        return node;
    }

    const PlanContext& context_;
    const DiskImage& image_;
    const NodeNames& names_;
    const NodeOptions& options_;
};

/// QEMU's own layer decrypts the image, not the server's library.
bool qemu_decrypts(const DiskImage& image) {
    return image.encryption &&
           image.encryption->engine.value_or(EncryptionEngine::qemu) == EncryptionEngine::qemu;
}

std::string_view format_driver(const DiskImage& image) {
    const DiskFormat format = image.format.value_or(DiskFormat::raw);
    // A folder is shown as a FAT disk by its storage node; the format above it is plain.
    if (format == DiskFormat::fat && image.type() == DiskType::dir) {
        return "raw";
    }
    if (format == DiskFormat::raw && qemu_decrypts(image)) {
        return "luks";
    }
    const auto driver = format_drivers.at(size_t(format));
    if (driver.empty()) {
        throw Error(ErrorCode::config_unsupported,
                    "disk format '{}' is not one that QEMU reads",
                    name_of(format));
    }
    return driver;
}

void add_encryption(const DiskImage& image, const NodeNames& names, json& node) {
    const bool luks = node.at("driver") == "luks";
    if (luks && !image.encryption) {
        throw Error(ErrorCode::config_unsupported,
                    "a disk image of format 'luks' needs <encryption> with its secret");
    }
    if (!qemu_decrypts(image)) {
        return;
    }
    if (image.encryption->format != EncryptionFormat::luks) {
        throw Error(ErrorCode::config_unsupported,
                    "disk encryption format '{}' is not one that QEMU decrypts, 'luks' is",
                    name_of(image.encryption->format));
    }
    if (luks) {
        node["key-secret"] = names.encryption_secret;
    } else if (node.at("driver") == "qcow2") {
        node["encrypt"]["format"] = "luks";
        node["encrypt"]["key-secret"] = names.encryption_secret;
    } else {
        throw Error(ErrorCode::config_unsupported,
                    "disk format '{}' cannot be encrypted",
                    node.at("driver").get<std::string>());
    }
}

json format_props(const DiskImage& image, const NodeNames& names, const NodeOptions& options) {
    const DiskFormat format = image.format.value_or(DiskFormat::raw);
    json node = json::object();
    node["node-name"] = names.format;
    node["read-only"] = options.read_only;
    node["driver"] = format_driver(image);
    add_encryption(image, names, node);
    add_discard(node, options);
    add_cache(node, options.cache);
    if (format == DiskFormat::qcow2 && image.metadata_cache_bytes) {
        node["cache-size"] = *image.metadata_cache_bytes;
    }
    if (has_backing(format) && options.backing) {
        node["backing"] = options.backing->empty() ? json() : json(*options.backing);
    }
    return node;
}

} // namespace

json storage_source(const PlanContext& context,
                    const DiskImage& image,
                    const NodeNames& names,
                    const NodeOptions& options) {
    json node = std::visit(SourceWriter(context, image, names, options), image.source);
    if (image.reservations) {
        node["pr-manager"] = names.reservations;
    }
    return node;
}

namespace {

/// QEMU opens the image for reading first, and again when a guest writes, where it can: a folder or
/// a file that only root may write need not be writable before.
void add_access(const PlanContext& context,
                const DiskImage& image,
                const NodeOptions& options,
                json& storage) {
    const auto* file = std::get_if<FileSource>(&image.source);
    // A single descriptor has one access mode: QEMU would look for another in the set.
    if (file && file->fdgroup && context.facts.fd_groups.at(*file->fdgroup) == 1) {
        storage["read-only"] = options.read_only;
    } else {
        storage["auto-read-only"] = true;
    }
    storage["discard"] = "unmap";
}

/// Puts the descriptors of the image's group into a set, whose path then stands for the image.
void add_descriptors(const PlanContext& context,
                     const DiskImage& image,
                     const NodeNames& names,
                     Plan& plan,
                     json& storage) {
    const auto* file = std::get_if<FileSource>(&image.source);
    if (!file || !file->fdgroup) {
        return;
    }
    const auto group = context.facts.fd_groups.find(*file->fdgroup);
    if (group == context.facts.fd_groups.end() || group->second == 0) {
        throw Error(ErrorCode::config_unsupported,
                    "disk source: no descriptors were given for the fdgroup '{}'",
                    *file->fdgroup);
    }
    std::vector<Descriptor> set(group->second);
    for (unsigned i = 0; i < group->second; ++i) {
        set[i].kind = DescriptorKind::fd_group;
        set[i].name = *file->fdgroup;
        set[i].index = i;
        set[i].owner = names.storage;
    }
    storage["filename"] = context.descriptors.pass_as_path(std::move(set), plan, names.storage);
}

void require_node_name(const std::string& name) {
    constexpr size_t longest = 31; // Source: QEMU, BlockDriverState::node_name
    if (name.size() > longest) {
        throw Error(ErrorCode::config_unsupported,
                    "block node name '{}' has {} bytes, QEMU takes at most {}",
                    name,
                    name.size(),
                    longest);
    }
}

} // namespace

Plan plan_image(const PlanContext& context,
                const DiskImage& image,
                const NodeNames& names,
                const NodeOptions& options) {
    require_node_name(names.storage);
    require_node_name(names.format);
    Plan plan = plan_image_objects(context, image, names);
    json storage = storage_source(context, image, names, options);
    add_descriptors(context, image, names, plan, storage);
    storage["node-name"] = names.storage;
    add_cache(storage, options.cache);
    add_access(context, image, options, storage);

    json format = format_props(image, names, options);
    format["file"] = names.storage;

    plan.push_back(blockdev_step(std::move(storage)));
    if (!image.slices.empty()) {
        const SliceDef& slice = image.slices.front();
        if (format["driver"] == "raw") {
            format["offset"] = slice.offset_bytes;
            format["size"] = slice.size_bytes;
        } else {
            json part = json::object();
            part["driver"] = "raw";
            part["node-name"] = names.slice;
            part["offset"] = slice.offset_bytes;
            part["size"] = slice.size_bytes;
            part["file"] = names.storage;
            part["auto-read-only"] = true;
            part["discard"] = "unmap";
            add_cache(part, options.cache);
            plan.push_back(blockdev_step(std::move(part)));
            format["file"] = names.slice;
        }
    }
    plan.push_back(blockdev_step(std::move(format)));
    return plan;
}

} // namespace vireo::qemu
