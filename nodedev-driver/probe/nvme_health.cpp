// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/nvme_health.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

namespace vireo::nodedev {

namespace {

/// A field of the page; what does not fit 64 bits is the largest number.
uint64_t health_field(const HealthPage& page, size_t offset, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
        const auto byte = std::to_integer<uint64_t>(page.at(offset + i));
        if (i < sizeof value) {
            value |= byte << (8 * i);
        } else if (byte != 0) {
            return UINT64_MAX;
        }
    }
    return value;
}

uint64_t data_units(const HealthPage& page, size_t offset) {
    constexpr uint64_t bytes = 512'000;
    const uint64_t units = health_field(page, offset, 16);
    return units > UINT64_MAX / bytes ? UINT64_MAX : units * bytes;
}

std::vector<uint64_t> health_sensors(const HealthPage& page) {
    std::vector<uint64_t> kelvin;
    for (size_t sensor = 0; sensor < 8; ++sensor) {
        kelvin.push_back(health_field(page, 200 + 2 * sensor, 2));
    }
    while (!kelvin.empty() && kelvin.back() == 0) { // one that is not there says 0
        kelvin.pop_back();
    }
    return kelvin;
}

HealthPage fetch_health_page(const std::string& node) {
    const Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    check_errno(fd.get(), fmt::format("open '{}'", node));
    HealthPage page{};
    constexpr uint8_t get_log_page = 0x02;
    constexpr uint32_t health_information = 0x02;
    constexpr uint32_t dwords_less_one = sizeof page / 4 - 1;
    nvme_admin_cmd command{};
    command.opcode = get_log_page;
    command.nsid = UINT32_MAX; // of the whole controller
    command.cdw10 = health_information | dwords_less_one << 16;
    command.addr = reinterpret_cast<uintptr_t>(page.data());
    command.data_len = page.size();
    command.timeout_ms = 5000;
    const int status = ::ioctl(fd.get(), NVME_IOCTL_ADMIN_CMD, &command);
    check_errno(status, fmt::format("read the health log of '{}'", node));
    if (status > 0) {
        throw Error(ErrorCode::operation_failed,
                    "the drive at '{}' does not give its health log: NVMe status 0x{:x}",
                    node,
                    status);
    }
    return page;
}

} // namespace

NvmeHealth parse_health(const HealthPage& page) {
    NvmeHealth health;
    constexpr size_t warnings = xml::EnumNames<HealthWarning>::names.size();
    for (size_t bit = 0; bit < warnings; ++bit) {
        if ((health_field(page, 0, 1) >> bit & 1) != 0) {
            health.warnings.push_back(static_cast<HealthWarning>(bit));
        }
    }
    const auto small = [&page](size_t offset, size_t size) {
        return static_cast<uint32_t>(health_field(page, offset, size));
    };
    health.temperature_kelvin = small(1, 2);
    health.available_spare_percent = small(3, 1);
    health.spare_threshold_percent = small(4, 1);
    health.used_percent = small(5, 1);
    health.bytes_read = data_units(page, 32);
    health.bytes_written = data_units(page, 48);
    health.host_reads = health_field(page, 64, 16);
    health.host_writes = health_field(page, 80, 16);
    health.busy_minutes = health_field(page, 96, 16);
    health.power_cycles = health_field(page, 112, 16);
    health.power_on_hours = health_field(page, 128, 16);
    health.unsafe_shutdowns = health_field(page, 144, 16);
    health.media_errors = health_field(page, 160, 16);
    health.error_log_entries = health_field(page, 176, 16);
    health.warm_minutes = health_field(page, 192, 4);
    health.hot_minutes = health_field(page, 196, 4);
    health.sensors_kelvin = health_sensors(page);
    return health;
}

NvmeHealth read_health(const Sysfs& sysfs, const std::string& node) {
    if (sysfs.is_host()) {
        return parse_health(fetch_health_page(node));
    }
    const std::string bytes = sysfs.bytes(node, sizeof(HealthPage));
    HealthPage page{};
    if (bytes.size() != page.size()) {
        throw Error(ErrorCode::operation_failed, "the drive at '{}' has no health log", node);
    }
    std::memcpy(page.data(), bytes.data(), bytes.size());
    return parse_health(page);
}

} // namespace vireo::nodedev
