// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/sys_device.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::nodedev {

namespace {

/// udev's records and uevents are a few pages.
constexpr size_t text_limit = 64 * 1024;

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
