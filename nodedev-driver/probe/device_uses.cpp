// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/device_uses.hpp"

#include "libshared/fd.hpp"
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace vireo::nodedev {

namespace {

constexpr size_t table_limit = size_t{4} << 20;

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find(at), text.size());
        if (end > 0) {
            parts.push_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

/// The kernel writes white space and backslashes in its tables as `\040`. Source: proc(5).
std::string unescaped(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto octal = text[i] == '\\' ? parse_number(text.substr(i + 1, 3), 8) : std::nullopt;
        if (octal && i + 3 < text.size()) {
            out += static_cast<char>(*octal);
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw`
std::vector<Mount> read_mounts(const Sysfs& sysfs) {
    // The first process's: a service may have a mount namespace of its own.
    std::string table = sysfs.bytes("/proc/1/mountinfo", table_limit);
    if (table.empty()) {
        table = sysfs.bytes("/proc/self/mountinfo", table_limit);
    }
    std::vector<Mount> mounts;
    for (const std::string_view line : split(table, '\n')) {
        const auto words = split(line, ' ');
        const auto dash = std::ranges::find(words, "-");
        if (words.size() > 5 && words.end() - dash > 2) {
            mounts.push_back({std::string(words[2]), unescaped(words[4]), unescaped(dash[2])});
        }
    }
    return mounts;
}

std::vector<std::string> read_swaps(const Sysfs& sysfs) {
    const std::string table = sysfs.bytes("/proc/swaps", table_limit);
    std::vector<std::string> files;
    for (const std::string_view line : split(table, '\n')) {
        const auto words = split(line, ' ');
        if (!words.empty() && words.front().starts_with('/')) {
            files.push_back(unescaped(words.front().substr(0, words.front().find('\t'))));
        }
    }
    return files;
}

/// `vg0-root--fs` is volume `root-fs` of group `vg0`: a dash in a name is written twice.
std::string volume_of(std::string_view mapping) {
    std::string out;
    for (size_t i = 0; i < mapping.size(); ++i) {
        const bool twice = mapping.substr(i).starts_with("--");
        out += mapping[i] == '-' && !twice ? '/' : mapping[i];
        i += twice ? 1 : 0;
    }
    return out;
}

class Search {
  public:
    Search(const Sysfs& sysfs, const UseTables& tables) : sysfs_(sysfs), tables_(tables) {}

    void block(const std::string& path) {
        if (!seen_.insert(path).second) {
            return;
        }
        const std::string name = path.substr(path.rfind('/') + 1);
        direct(path, name);
        for (const std::string& part : sysfs_.names(path)) {
            if (sysfs_.exists(fmt::format("{}/{}/partition", path, part))) {
                block(fmt::format("{}/{}", path, part));
            }
        }
        for (const std::string& holder : sysfs_.names(path + "/holders")) {
            held(name, holder);
        }
    }

    std::vector<DeviceUse> take() { return {uses_.begin(), uses_.end()}; }

  private:
    void add(std::string kind, std::string by, const std::string& name) {
        uses_.insert({std::move(kind), std::move(by), "/dev/" + name});
    }

    void direct(const std::string& path, const std::string& name) {
        const std::string number = sysfs_.text(path + "/dev").value_or("");
        const std::string node = "/dev/" + name;
        for (const Mount& mount : tables_.mounts) {
            // A file system over several devices has a number of its own.
            if ((!number.empty() && mount.number == number) || mount.source == node) {
                add("mount", mount.point, name);
            }
        }
        if (std::ranges::find(tables_.swaps, node) != tables_.swaps.end()) {
            add("swap", node, name);
        }
        for (const std::string& id : sysfs_.names("/sys/fs/btrfs")) {
            if (sysfs_.exists(fmt::format("/sys/fs/btrfs/{}/devices/{}", id, name))) {
                add("btrfs", id, name);
            }
        }
    }

    void held(const std::string& name, const std::string& holder) {
        const auto path = sysfs_.resolve("/sys/class/block/" + holder);
        const auto text = [&](const char* attribute) {
            return path ? sysfs_.text(fmt::format("{}/{}", *path, attribute)).value_or("") : "";
        };
        const std::string mapping = text("dm/name");
        const std::string uuid = text("dm/uuid");
        if (uuid.starts_with("LVM-")) {
            add("lvm", volume_of(mapping), name);
        } else if (uuid.starts_with("mpath-")) {
            add("multipath", mapping, name);
        } else if (!mapping.empty()) {
            add("device-mapper", mapping, name);
        } else if (path && sysfs_.exists(*path + "/md")) {
            add("raid", holder, name);
        } else {
            add("holder", holder, name);
        }
        if (path) {
            block(*path);
        }
    }

    const Sysfs& sysfs_;
    const UseTables& tables_;
    std::set<std::string> seen_;
    std::set<DeviceUse> uses_;
};

bool is_below(const std::string& path, const std::string& folder) {
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

} // namespace

std::vector<std::string> disks_of(const Sysfs& sysfs, const std::string& path) {
    std::set<std::string> controllers;
    for (const std::string& name : sysfs.names("/sys/class/nvme")) {
        const auto place = sysfs.resolve("/sys/class/nvme/" + name);
        if (place && (*place == path || is_below(*place, path))) {
            controllers.insert(name);
        }
    }
    std::vector<std::string> disks;
    for (const std::string& name : sysfs.names("/sys/class/block")) {
        const auto place = sysfs.resolve("/sys/class/block/" + name);
        if (!place || sysfs.exists(*place + "/partition")) {
            continue;
        }
        const auto reached = read_nvme_namespace(SysDevice(sysfs, *place));
        const bool shared =
            reached && std::ranges::any_of(reached->controllers,
                                           [&](const auto& c) { return controllers.contains(c); });
        if (*place == path || is_below(*place, path) || shared) {
            disks.push_back(*place);
        }
    }
    return disks;
}

UseTables::UseTables(const Sysfs& sysfs) : mounts(read_mounts(sysfs)), swaps(read_swaps(sysfs)) {}

std::vector<DeviceUse>
disk_uses(const Sysfs& sysfs, const UseTables& tables, const std::string& disk) {
    Search search(sysfs, tables);
    search.block(disk);
    return search.take();
}

std::vector<std::string> nodes_of(const Sysfs& sysfs, const std::string& disk) {
    const std::string name = disk.substr(disk.rfind('/') + 1);
    std::vector<std::string> nodes{"/dev/" + name};
    for (const std::string& part : sysfs.names(disk)) {
        if (sysfs.exists(fmt::format("{}/{}/partition", disk, part))) {
            nodes.push_back("/dev/" + part);
        }
    }
    if (const auto reached = read_nvme_namespace(SysDevice(sysfs, disk));
        reached && !reached->generic.empty()) {
        nodes.push_back(reached->generic);
    }
    return nodes;
}

std::vector<DeviceUse> open_by(const Sysfs& sysfs, const std::vector<std::string>& nodes) {
    std::set<DeviceUse> found;
    const std::set<std::string> wanted(nodes.begin(), nodes.end());
    for (const uint32_t pid : sysfs.numbered("/proc", "")) {
        if (sysfs.is_host() && pid == static_cast<uint32_t>(getpid())) {
            continue; // this daemon asks a drive what it is, and no longer
        }
        const std::string folder = fmt::format("/proc/{}/fd", pid);
        for (const std::string& fd : sysfs.names(folder)) {
            const auto target = sysfs.resolve(fmt::format("{}/{}", folder, fd));
            if (target && wanted.contains(*target)) {
                const auto name = sysfs.text(fmt::format("/proc/{}/comm", pid));
                found.insert({"open",
                              fmt::format("{} (process {})", name.value_or("a process"), pid),
                              *target});
            }
        }
    }
    return {found.begin(), found.end()};
}

DeviceUse unseen_user(const Sysfs& sysfs, const std::string& disk) {
    std::vector<std::string> parts{disk};
    for (const std::string& part : sysfs.names(disk)) {
        parts.push_back(fmt::format("{}/{}", disk, part));
    }
    for (const std::string& part : parts) {
        const bool block = part == disk || sysfs.exists(part + "/partition");
        const SysDevice device(sysfs, block ? part : std::string());
        if (device.property("ID_FS_TYPE") == "zfs_member") {
            return {"zfs", device.property("ID_FS_LABEL"), "/dev/" + device.sysname()};
        }
    }
    return {
        "holder", "unknown, but it has it for itself", "/dev/" + disk.substr(disk.rfind('/') + 1)};
}

std::map<std::string, std::vector<DeviceUse>>
uses_now(const Sysfs& sysfs,
         const std::vector<std::string>& disks,
         const std::vector<std::string>& controllers) {
    std::map<std::string, std::vector<DeviceUse>> found;
    std::map<std::string, std::string> disk_by_node;
    std::vector<std::string> nodes = controllers;
    const UseTables tables(sysfs);
    for (const std::string& disk : disks) {
        std::vector<DeviceUse> uses = disk_uses(sysfs, tables, disk);
        const auto disk_nodes = nodes_of(sysfs, disk);
        // Only this host's nodes can be opened.
        if (uses.empty() && sysfs.is_host() && is_claimed(disk_nodes.front())) {
            uses.push_back(unseen_user(sysfs, disk));
        }
        for (const std::string& node : disk_nodes) {
            disk_by_node.emplace(node, disk);
            nodes.push_back(node);
        }
        found.emplace(disk, std::move(uses));
    }
    for (DeviceUse& use : nodes.empty() ? std::vector<DeviceUse>{} : open_by(sysfs, nodes)) {
        const auto disk = disk_by_node.find(use.device);
        found[disk == disk_by_node.end() ? "" : disk->second].push_back(std::move(use));
    }
    return found;
}

bool is_claimed(const std::string& node) {
    // O_EXCL without O_CREAT is for block devices: open(2).
    const Fd fd(::open(node.c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC));
    return !fd && errno == EBUSY;
}

std::string describe_use(const DeviceUse& use) {
    return use.device.empty() ? fmt::format("{} '{}'", use.kind, use.by)
                              : fmt::format("{} '{}' ({})", use.kind, use.by, use.device);
}

} // namespace vireo::nodedev
