// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/sysfs.hpp"

#include "libshared/fd.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace vireo::nodedev {

namespace fs = std::filesystem;

namespace {

/// sysfs attributes are one page; udev's records and uevents a few.
constexpr size_t text_limit = 64 * 1024;

std::string read_bytes(const fs::path& path, size_t limit) {
    std::string data;
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        return data;
    }
    data.resize(limit);
    size_t filled = 0;
    while (filled < limit) {
        const ssize_t got = ::read(fd.get(), data.data() + filled, limit - filled);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        filled += static_cast<size_t>(got);
    }
    data.resize(filled);
    return data;
}

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
            out += c;
        }
    }
    const auto first = out.find_first_not_of(' ');
    if (first == std::string::npos) {
        return {};
    }
    return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

template <class Each>
void each_line(std::string_view text, Each each) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        each(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

void add_property(Properties& properties, std::string_view line) {
    const auto equals = line.find('=');
    if (equals != std::string_view::npos) {
        properties.insert_or_assign(std::string(line.substr(0, equals)),
                                    std::string(line.substr(equals + 1)));
    }
}

} // namespace

std::optional<int64_t> parse_number(std::string_view text, int base) {
    const std::string copy(text);
    char* end = nullptr;
    errno = 0;
    const int64_t value = std::strtoll(copy.c_str(), &end, base);
    if (copy.empty() || errno != 0 || *end != '\0') {
        return std::nullopt;
    }
    return value;
}

Sysfs::Sysfs(fs::path prefix) {
    // A prefix that is a link would make resolved paths look as if they had left it.
    std::error_code failed;
    prefix_ = prefix.empty() ? prefix : fs::weakly_canonical(prefix, failed);
}

fs::path Sysfs::at(std::string_view path) const {
    return prefix_.empty() ? fs::path(path) : fs::path(prefix_.native() + std::string(path));
}

std::optional<std::string> Sysfs::text(std::string_view path) const {
    std::string value = printable(read_bytes(at(path), text_limit));
    if (value.empty()) {
        return std::nullopt;
    }
    return value;
}

std::optional<int64_t> Sysfs::number(std::string_view path, int base) const {
    const auto value = text(path);
    return value ? parse_number(*value, base) : std::nullopt;
}

std::string Sysfs::bytes(std::string_view path, size_t limit) const {
    return read_bytes(at(path), limit);
}

std::optional<std::string> Sysfs::link_name(std::string_view path) const {
    std::error_code failed;
    const fs::path target = fs::read_symlink(at(path), failed);
    if (failed || target.filename().empty()) {
        return std::nullopt;
    }
    return target.filename().string();
}

std::optional<std::string> Sysfs::resolve(std::string_view path) const {
    std::error_code failed;
    const std::string real = fs::canonical(at(path), failed).string();
    if (failed || !real.starts_with(prefix_.native())) {
        return std::nullopt;
    }
    return real.substr(prefix_.native().size());
}

bool Sysfs::exists(std::string_view path) const {
    std::error_code failed;
    return fs::exists(at(path), failed);
}

std::vector<std::string> Sysfs::names(std::string_view path) const {
    std::vector<std::string> found;
    std::error_code failed;
    for (fs::directory_iterator entry(at(path), failed), end; !failed && entry != end;
         entry.increment(failed)) {
        found.push_back(entry->path().filename().string());
    }
    std::ranges::sort(found);
    return found;
}

SysDevice::SysDevice(const Sysfs& sysfs, std::string path)
    : sysfs_(sysfs),
      path_(std::move(path)),
      sysname_(path_.substr(path_.rfind('/') + 1)),
      subsystem_(sysfs.link_name(path_ + "/subsystem").value_or("")) {
    std::ranges::replace(sysname_, '!', '/');
    const std::string uevent = sysfs_.bytes(path_ + "/uevent", text_limit);
    each_line(uevent, [this](std::string_view line) { add_property(properties_, line); });
    read_udev_database();
}

/// udev names its record of a device by number: `b8:0`, `c189:1`, `n2`, or `+pci:0000:00:1f.2`.
/// Source: systemd's device-id, sd_device_get_device_id(3).
void SysDevice::read_udev_database() {
    std::string id = fmt::format("+{}:{}", subsystem_, sysname_);
    if (!property("MAJOR").empty()) {
        const char kind = subsystem_ == "block" ? 'b' : 'c';
        id = fmt::format("{}{}:{}", kind, property("MAJOR"), property("MINOR"));
    } else if (!property("IFINDEX").empty()) {
        id = fmt::format("n{}", property("IFINDEX"));
    }
    std::ranges::replace(id, '/', '!');
    const std::string record = sysfs_.bytes("/run/udev/data/" + id, text_limit);
    each_line(record, [this](std::string_view line) {
        if (line.starts_with("E:")) {
            add_property(properties_, line.substr(2));
        } else if (line.starts_with("S:")) {
            devlinks_.push_back(fmt::format("/dev/{}", line.substr(2)));
        }
    });
    std::ranges::sort(devlinks_);
}

std::optional<std::string> SysDevice::devnode() const {
    const std::string name = property("DEVNAME");
    if (name.empty()) {
        return std::nullopt;
    }
    return name.starts_with('/') ? name : "/dev/" + name;
}

std::string SysDevice::property(std::string_view key) const {
    const auto found = properties_.find(key);
    return found == properties_.end() ? std::string() : found->second;
}

std::optional<int64_t> SysDevice::number_property(std::string_view key, int base) const {
    return parse_number(property(key), base);
}

std::optional<std::string> SysDevice::text(std::string_view attribute) const {
    return sysfs_.text(fmt::format("{}/{}", path_, attribute));
}

std::optional<int64_t> SysDevice::number(std::string_view attribute, int base) const {
    return sysfs_.number(fmt::format("{}/{}", path_, attribute), base);
}

} // namespace vireo::nodedev
