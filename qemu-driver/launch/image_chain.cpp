// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/image_chain.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/async/process.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "libshared/xml/enum_names.hpp"
#include "qemu-driver/domain_summary.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace vireo::qemu {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto look_limit = 20s;
/// libvirt's and QEMU's users have had chains of 200.
constexpr std::size_t longest_chain = 250;

bool can_have_backing(DiskFormat format) {
    switch (format) {
    case DiskFormat::cow:
    case DiskFormat::qcow:
    case DiskFormat::qcow2:
    case DiskFormat::qed:
    case DiskFormat::vmdk:
        return true;
    default:
        return false;
    }
}

/// QEMU's names of formats are libvirt's.
DiskFormat format_named(const std::string& name) {
    const auto format = xml::enum_of<DiskFormat>(name);
    if (!format) {
        throw Error(ErrorCode::operation_failed, "format '{}' is not supported", name);
    }
    return *format;
}

/// Whether an image sends its reader to other files.
bool refers_elsewhere(const json& info) {
    if (info.contains("backing-filename")) {
        return true;
    }
    const json data = info.value("format-specific", json::object()).value("data", json::object());
    return data.is_object() && data.contains("data-file");
}

/// A name with a protocol (`nbd://…`, `json:{…}`) is no path of this host.
bool is_path(const std::string& name) {
    return name.starts_with('/');
}

DiskSource source_at(const std::string& path) {
    struct stat status {};

    if (stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode)) {
        return BlockSource{.path = path};
    }
    return FileSource{.path = path, .fdgroup = {}};
}

DiskImage& last_of(DiskImage& top) {
    DiskImage* image = &top;
    while (image->backing && !image->backing->is_empty()) {
        image = &*image->backing;
    }
    return *image;
}

/// Paths of the chain that the document names; the first that is not there, or none.
std::optional<std::string> first_missing(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        if (::access(path.c_str(), F_OK) != 0) {
            return path;
        }
    }
    return std::nullopt;
}

std::vector<std::string> named_paths(const DiskImage& top) {
    std::vector<std::string> paths;
    for (const DiskImage* image = &top; image != nullptr; image = image->base()) {
        if (auto path = local_path(*image)) {
            paths.push_back(std::move(*path));
        }
    }
    return paths;
}

/// qemu-img's last line, without its own name.
std::string words_of(const Output& output) {
    std::string text = output.errors;
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    constexpr std::string_view program = "qemu-img: ";
    return text.starts_with(program) ? text.substr(program.size()) : text;
}

Task<json> look_into(Loop& loop, std::string path, std::string format) {
    ProcessSpec spec;
    spec.program = "qemu-img";
    spec.arguments = {
        "info", "--output=json", "--backing-chain", "-U", "-f", std::move(format), path};
    auto running = run_command(loop, std::move(spec), look_limit);
    const Output output = co_await std::move(running);
    if (!output.status.success()) {
        throw Error(ErrorCode::operation_failed, "image '{}': {}", path, words_of(output));
    }
    try {
        co_return json::parse(output.out);
    } catch (const json::exception& e) {
        throw Error(ErrorCode::operation_failed, "qemu-img's words on '{}': {}", path, e.what());
    }
}

/// True where a file of the chain is not there and may be so.
Task<bool> is_left_out(Loop& loop, const DiskImage& top) {
    std::vector<std::string> paths = named_paths(top);
    const auto policy = top.startup_policy.value_or(StartupPolicy::mandatory);
    std::function<std::optional<std::string>()> look = [paths = std::move(paths)] {
        return first_missing(paths);
    };
    const std::optional<std::string> missing =
        co_await Offload<std::optional<std::string>>(loop, std::move(look));
    if (!missing) {
        co_return false;
    }
    if (policy != StartupPolicy::optional) {
        throw Error(ErrorCode::operation_failed, "image '{}' does not exist", *missing);
    }
    log::warning("image '{}' does not exist: it is left out, as its startupPolicy says", *missing);
    co_return true;
}

/// Follows the chain of one disk, whose definition stays where it is. True where the disk, or its
/// medium, is to be left out.
Task<bool> follow_chain(Loop& loop, DiskImage& top) {
    if (top.is_empty()) {
        co_return false;
    }
    const bool left_out = co_await is_left_out(loop, top);
    if (left_out) {
        co_return true;
    }
    DiskImage& last = last_of(top);
    if (last.backing) { // the document ends it
        co_return false;
    }
    const DiskFormat format = last.format.value_or(DiskFormat::raw);
    const std::optional<std::string> path = local_path(last);
    if (!can_have_backing(format)) {
        last.backing = DiskImage();
        co_return false;
    }
    if (!path) { // QEMU follows what only a protocol can reach
        co_return false;
    }
    std::string name(xml::name_of(format));
    const json infos = co_await look_into(loop, *path, std::move(name));
    adopt_chain(last, infos);
    co_return false;
}

struct Following {
    explicit Following(Loop& loop) : complete(loop) {}

    std::size_t open = 1; // the one who waits, until all are on their way
    std::exception_ptr failure;
    std::vector<bool> left_out; // one for each disk
    Promised<bool> complete;

    void finish_one() {
        if (--open == 0) {
            complete.resolve(true);
        }
    }
};

Task<void> follow_one(Loop& loop,
                      std::shared_ptr<Following> following,
                      std::shared_ptr<DomainDef> def,
                      std::size_t number) {
    DiskDef& disk = def->devices.disks[number];
    try {
        const bool left_out = co_await follow_chain(loop, disk.image);
        following->left_out[number] = left_out;
    } catch (Error& e) {
        following->failure =
            std::make_exception_ptr(Error(e.code(), "disk '{}': {}", disk.target.dev, e.what()));
    } catch (...) {
        following->failure = std::current_exception();
    }
    following->finish_one();
}

/// A drive without its medium stays.
void leave_out(std::vector<DiskDef>& disks, const Following& following) {
    std::vector<DiskDef> kept;
    for (std::size_t i = 0; i < disks.size(); ++i) {
        const bool removable =
            disks[i].device == DiskDevice::cdrom || disks[i].device == DiskDevice::floppy;
        if (following.left_out[i] && !removable) {
            continue;
        }
        if (following.left_out[i]) {
            disks[i].image.source = FileSource{};
            disks[i].image.backing.reset();
        }
        kept.push_back(std::move(disks[i]));
    }
    disks = std::move(kept);
}

} // namespace

Task<void> follow_image_chains(Loop& loop, std::shared_ptr<DomainDef> def) {
    auto following = std::make_shared<Following>(loop);
    Scope looking(loop);
    following->left_out.resize(def->devices.disks.size());
    for (std::size_t i = 0; i < def->devices.disks.size(); ++i) {
        ++following->open;
        looking.spawn(follow_one(loop, following, def, i), "backing chain");
    }
    following->finish_one();
    co_await following->complete.value();
    if (following->failure) {
        std::rethrow_exception(following->failure);
    }
    leave_out(def->devices.disks, *following);
}

void adopt_chain(DiskImage& image, const json& infos) {
    if (infos.size() > longest_chain) {
        throw Error(ErrorCode::operation_failed,
                    "its chain has {} images, more than {}",
                    infos.size(),
                    longest_chain);
    }
    DiskImage* top = &image;
    for (std::size_t i = 0; i + 1 < infos.size(); ++i) {
        const json& above = infos[i];
        const json& info = infos[i + 1];
        const auto name = above.value("full-backing-filename", info.value("filename", ""));
        if (!is_path(name)) { // QEMU follows what only a protocol can reach
            return;
        }
        const auto format = above.value("backing-filename-format", info.value("format", ""));
        if (!above.contains("backing-filename-format") && refers_elsewhere(info)) {
            throw Error(ErrorCode::operation_failed,
                        "image '{}' does not say the format of '{}', which looks like {} and "
                        "refers to other files: record the format with 'qemu-img rebase -u -F'",
                        above.value("filename", ""),
                        name,
                        format);
        }
        DiskImage below;
        below.source = source_at(name);
        below.format = format_named(format);
        top->backing = std::move(below);
        top = &*top->backing;
    }
    top->backing = DiskImage();
}

} // namespace vireo::qemu
