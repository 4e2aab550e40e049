// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

namespace {

constexpr std::string_view smbios = "/sys/devices/virtual/dmi/id";

/// `0123456789abcdef0123456789abcdef` (machine-id(5)) with the dashes of a UUID.
std::string with_dashes(std::string_view id) {
    if (id.size() != 32) {
        return {};
    }
    return fmt::format("{}-{}-{}-{}-{}",
                       id.substr(0, 8),
                       id.substr(8, 4),
                       id.substr(12, 4),
                       id.substr(16, 4),
                       id.substr(20));
}

std::string host_uuid(const Sysfs& sysfs) {
    std::string uuid = sysfs.text(fmt::format("{}/product_uuid", smbios)).value_or("");
    // Firmware without a number of its own has only one digit there.
    if (uuid.empty() ||
        uuid.find_first_not_of(std::string{uuid.front(), '-'}) == std::string::npos) {
        uuid = with_dashes(sysfs.text("/etc/machine-id").value_or(""));
    }
    return uuid;
}

} // namespace

NodeDevice probe_computer(const ProbeSources& sources) {
    const auto read = [&sources](std::string_view name) {
        return sources.sysfs.text(fmt::format("{}/{}", smbios, name)).value_or("");
    };
    SystemCapability system;
    system.product = read("product_name");
    system.vendor = read("sys_vendor");
    system.version = read("product_version");
    system.serial = read("product_serial");
    system.uuid = host_uuid(sources.sysfs);
    system.firmware_vendor = read("bios_vendor");
    system.firmware_version = read("bios_version");
    system.firmware_date = read("bios_date");
    NodeDevice computer;
    computer.name = computer_name;
    computer.capability = std::move(system);
    return computer;
}

} // namespace vireo::nodedev
