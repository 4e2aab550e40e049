// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/block_nodes.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/async/process.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/devices/plan_disk.hpp"
#include "qemu-driver/domain_summary.hpp"
#include "qemu-driver/model/host_functions.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto creation_limit = 60s;

/// `vda[3]` -> 3
std::optional<std::uint32_t> number_in(const std::string& name, const std::string& target) {
    const std::string before = target + "[";
    if (!name.starts_with(before) || !name.ends_with("]")) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    const char* begin = name.data() + before.size();
    const char* end = name.data() + name.size() - 1;
    const auto [stop, failure] = std::from_chars(begin, end, number);
    return failure == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

Task<void> remove_node(Driver& driver, std::shared_ptr<Guest> guest, std::string node) {
    json arguments;
    arguments["node-name"] = node;
    try {
        co_await monitor_command(driver, guest, "blockdev-del", std::move(arguments));
    } catch (const qmp::CommandError& e) {
        if (e.description().find("Failed to find node") == std::string::npos) {
            log::warning("guest {}: node '{}' is left behind: {}", guest->id, node, e.what());
        }
    }
}

void add_numbers(const DiskImage& top, std::set<std::uint32_t>& numbers) {
    for (const DiskImage* image = &top; image != nullptr; image = image->base()) {
        numbers.insert(image->index.value_or(0));
    }
}

std::set<std::uint32_t> known_numbers(const DomainDef& def) {
    std::set<std::uint32_t> numbers;
    for (const DiskDef& disk : def.devices.disks) {
        add_numbers(disk.image, numbers);
        if (disk.mirror) {
            add_numbers(disk.mirror->image, numbers);
        }
    }
    return numbers;
}

/// The number in `libvirt-7-format`.
std::optional<std::uint32_t> number_of_node(std::string_view node) {
    constexpr std::string_view before = "libvirt-";
    if (!node.starts_with(before)) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    const char* begin = node.data() + before.size();
    const auto [stop, failure] = std::from_chars(begin, node.data() + node.size(), number);
    const bool followed = stop != node.data() + node.size() && *stop == '-';
    return failure == std::errc() && stop != begin && followed ? std::optional(number)
                                                               : std::nullopt;
}

} // namespace

DiskDef& disk_named(DomainDef& def, const std::string& name) {
    for (DiskDef& disk : def.devices.disks) {
        if (disk.target.dev == name || (!name.empty() && header_name(disk.image) == name)) {
            return disk;
        }
    }
    throw Error(ErrorCode::invalid_arg, "invalid path: the domain has no disk '{}'", name);
}

const DiskDef& disk_named(const DomainDef& def, const std::string& name) {
    return disk_named(const_cast<DomainDef&>(def), name);
}

void keep_secrets_with_image(DiskDef& disk) {
    if (const AuthDef* auth = disk.auth()) {
        disk.image.auth = AuthDef(*auth);
    }
    if (const EncryptionDef* encryption = disk.encryption()) {
        disk.image.encryption = EncryptionDef(*encryption);
    }
    disk.outer_auth.reset();
    disk.outer_encryption.reset();
}

const DiskImage* image_named(const DiskDef& disk, const std::string& name) {
    const auto number = number_in(name, disk.target.dev);
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        if (number ? image->index == number : header_name(*image) == name) {
            return image;
        }
    }
    return nullptr;
}

const DiskImage* image_numbered(const DiskDef& disk, std::uint32_t number) {
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        if (image->index == number) {
            return image;
        }
    }
    return nullptr;
}

DiskImage* image_numbered(DiskDef& disk, std::uint32_t number) {
    return const_cast<DiskImage*>(image_numbered(std::as_const(disk), number));
}

std::string header_name(const DiskImage& image) {
    if (const auto* nvme = std::get_if<NvmeSource>(&image.source)) {
        return fmt::format("nvme://{}/{}", format_function(nvme->controller), nvme->namespace_id);
    }
    return local_path(image).value_or("");
}

Plan image_plan(const Driver& driver,
                const Guest& guest,
                const QemuCapabilities& capabilities,
                const DiskDef& disk,
                const DiskImage& image,
                bool read_only) {
    DiskDef alone = disk;
    alone.image = image;
    alone.image.backing = DiskImage(); // so that QEMU does not follow the header
    alone.outer_encryption.reset();
    alone.outer_auth.reset();
    alone.readonly = read_only;
    const LaunchFacts facts = launch_facts(driver, guest);
    DescriptorList descriptors(DescriptorList::Naming::names);
    const BootOrder boot;
    return plan_disk_images(PlanContext{*guest.live, capabilities, facts, descriptors, boot},
                            alone);
}

Task<void> remove_nodes(Driver& driver,
                        DomainPtr domain,
                        std::shared_ptr<Guest> guest,
                        DiskImage top,
                        std::uint32_t until) {
    for (const DiskImage* image = &top; image != nullptr && image->index != until;
         image = image->base()) {
        const NodeNames names = node_names(*image);
        std::vector<std::string> nodes{names.format, names.storage};
        if (!image->slices.empty()) {
            nodes.insert(nodes.begin() + 1, names.slice);
        }
        for (std::string& node : nodes) {
            require_running(*domain, guest);
            co_await remove_node(driver, guest, std::move(node));
        }
    }
}

Task<void> remove_orphans(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    json flat;
    flat["flat"] = true;
    const json nodes =
        co_await monitor_command(driver, guest, "query-named-block-nodes", std::move(flat));
    const std::set<std::uint32_t> known = known_numbers(*guest->live);
    std::map<std::uint32_t, std::vector<std::string>> orphans;
    for (const json& node : nodes) {
        const std::string name = node.value("node-name", "");
        const auto number = number_of_node(name);
        if (number && !known.contains(*number)) {
            // Formats before the storage that they stand on: in the order of their names.
            auto& names = orphans[*number];
            names.insert(std::ranges::upper_bound(names, name), name);
        }
    }
    // What was made last stands on what was made before.
    for (auto each = orphans.rbegin(); each != orphans.rend(); ++each) {
        for (std::string& name : each->second) {
            require_running(*domain, guest);
            log::info("domain '{}': block node '{}' belongs to no image", domain->name, name);
            co_await remove_node(driver, guest, std::move(name));
        }
    }
}

Task<std::uint64_t> disk_bytes(Driver& driver, std::shared_ptr<Guest> guest, std::string node) {
    json flat;
    flat["flat"] = true;
    const json nodes =
        co_await monitor_command(driver, guest, "query-named-block-nodes", std::move(flat));
    for (const json& each : nodes) {
        if (each.value("node-name", "") == node) {
            co_return each.at("image").at("virtual-size").get<std::uint64_t>();
        }
    }
    throw Error(ErrorCode::operation_failed, "QEMU has no block node '{}'", node);
}

Task<void> create_image(Driver& driver,
                        DiskImage image,
                        std::uint64_t bytes,
                        std::string backing,
                        std::string backing_format) {
    const auto* file = std::get_if<FileSource>(&image.source);
    if (file == nullptr || !file->path) {
        throw Error(ErrorCode::operation_unsupported,
                    "only an image in a file can be made; say that it exists (flag 2 of BlockCopy, "
                    "32 of SnapshotCreateXML) and make it before");
    }
    const std::string path = *file->path;
    std::function<void()> reserve = [path] { // never over what is there, not even a link
        const Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        check_errno(made.get(), fmt::format("create image '{}'", path));
    };
    co_await Offload<void>(driver.ctx.loop, std::move(reserve));
    ProcessSpec spec;
    spec.program = "qemu-img";
    spec.arguments = {
        "create", "-q", "-f", std::string(name_of(image.format.value_or(DiskFormat::raw)))};
    if (!backing.empty()) {
        spec.arguments.insert(spec.arguments.end(), {"-u", "-b", backing, "-F", backing_format});
    }
    spec.arguments.insert(spec.arguments.end(), {path, std::to_string(bytes)});
    auto running = run_command(driver.ctx.loop, std::move(spec), creation_limit);
    const Output output = co_await std::move(running);
    if (!output.status.success()) {
        co_await delete_file(driver.ctx.loop, path);
        throw Error(ErrorCode::operation_failed, "make image '{}': {}", path, output.errors);
    }
}

} // namespace vireo::qemu::actions
