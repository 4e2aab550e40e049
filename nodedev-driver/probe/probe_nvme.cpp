// SPDX-License-Identifier: LGPL-2.1-or-later
// Source: the kernel's drivers/nvme/host/sysfs.c, core.c (names) and multipath.c.
#include "nodedev-driver/probe/pci_address.hpp"
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vireo::nodedev {

namespace {

std::optional<uint32_t> natural(std::optional<int64_t> number) {
    return number && *number >= 0 && *number <= UINT32_MAX
               ? std::optional(static_cast<uint32_t>(*number))
               : std::nullopt;
}

std::optional<SecondaryControllers> secondary_controllers(const Sysfs& sysfs,
                                                          const PciAddress& address) {
    const std::string function = "/sys/bus/pci/devices/" + format_pci_address(address);
    const auto total = natural(sysfs.number(function + "/sriov_totalvfs"));
    if (!total || *total == 0) {
        return std::nullopt;
    }
    SecondaryControllers found{.max_count = *total, .controllers = {}};
    for (const uint32_t number : sysfs.numbered(function, "virtfn")) {
        const std::string link = fmt::format("{}/virtfn{}", function, number);
        const auto target = parse_pci_address(sysfs.link_name(link).value_or(""));
        if (target) {
            const auto names = sysfs.names(link + "/nvme");
            found.controllers.push_back(
                {.address = *target, .controller = names.empty() ? "" : names.front()});
        }
    }
    return found;
}

/// `name` is `nvme<subsystem>n<namespace>`.
struct DiskName {
    uint32_t subsystem{};
    uint32_t instance{};
};

std::optional<DiskName> parse_disk_name(std::string_view name) {
    DiskName parsed;
    constexpr std::string_view prefix = "nvme";
    const char* const last = name.data() + name.size();
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    const auto first = std::from_chars(name.data() + prefix.size(), last, parsed.subsystem);
    if (first.ec != std::errc() || first.ptr == last || *first.ptr != 'n') {
        return std::nullopt;
    }
    const auto second = std::from_chars(first.ptr + 1, last, parsed.instance);
    return second.ec == std::errc() && second.ptr == last ? std::optional(parsed) : std::nullopt;
}

/// A disk hangs below its controller, or, where several controllers may reach it, below the NVM
/// subsystem; then each controller that does has a hidden disk `nvme<subsystem>c<controller>n<n>`.
std::vector<std::string> controllers_of(const SysDevice& disk, const DiskName& name) {
    const std::string folder = disk.path().substr(0, disk.path().rfind('/'));
    const std::string owner = folder.substr(folder.rfind('/') + 1);
    if (disk.sysfs().exists("/sys/class/nvme/" + owner)) {
        return {owner};
    }
    std::vector<std::string> found;
    for (const uint32_t controller : disk.sysfs().numbered(folder, "nvme")) {
        const std::string path = fmt::format(
            "{0}/nvme{1}/nvme{2}c{1}n{3}", folder, controller, name.subsystem, name.instance);
        if (disk.sysfs().exists(path)) {
            found.push_back(fmt::format("nvme{}", controller));
        }
    }
    return found;
}

/// Digits without what the kernel puts between them; empty where the drive has no such number,
/// which it tells by zeros.
std::string identifier(const SysDevice& disk, const char* attribute) {
    std::string digits = disk.text(attribute).value_or("");
    std::erase_if(digits, [](char c) { return c == ' ' || c == '-'; });
    return digits.find_first_not_of('0') == std::string::npos ? "" : digits;
}

} // namespace

std::optional<NodeDevice> probe_nvme(const ProbeSources& sources, const SysDevice& device) {
    NvmeCapability nvme;
    nvme.controller = device.sysname();
    nvme.model = device.text("model").value_or("");
    nvme.serial = device.text("serial").value_or("");
    nvme.firmware = device.text("firmware_rev").value_or("");
    nvme.nqn = device.text("subsysnqn").value_or("");
    nvme.transport = device.text("transport").value_or("");
    nvme.state = read_nvme_state(device);
    nvme.id = natural(device.number("cntlid", 10));
    nvme.numa_node = natural(device.number("numa_node", 10));
    if (nvme.transport == "pcie") {
        nvme.address = parse_pci_address(device.text("address").value_or(""));
    }
    if (nvme.address) {
        nvme.secondary = secondary_controllers(sources.sysfs, *nvme.address);
    }
    NodeDevice node = base_device(device);
    node.capability = std::move(nvme);
    return node;
}

std::string read_nvme_state(const SysDevice& device) {
    return device.text("state").value_or("");
}

std::optional<NvmeNamespace> read_nvme_namespace(const SysDevice& disk) {
    const auto name = parse_disk_name(disk.sysname());
    const auto id = natural(disk.number("nsid", 10));
    if (!name || !id) {
        return std::nullopt;
    }
    NvmeNamespace found;
    found.id = *id;
    found.controllers = controllers_of(disk, *name);
    constexpr uint64_t sector = 512;
    found.lba_size = natural(disk.number("queue/logical_block_size", 10)).value_or(sector);
    found.size =
        static_cast<uint64_t>(std::max<int64_t>(disk.number("size", 10).value_or(0), 0)) * sector;
    if (const auto used = disk.number("nuse", 10); used && *used >= 0) {
        found.used = static_cast<uint64_t>(*used) * found.lba_size;
    }
    found.metadata_size = natural(disk.number("metadata_bytes", 10));
    found.nguid = identifier(disk, "nguid");
    found.eui64 = identifier(disk, "eui");
    found.uuid = identifier(disk, "uuid").empty() ? "" : disk.text("uuid").value_or("");
    const std::string generic = fmt::format("ng{}n{}", name->subsystem, name->instance);
    if (disk.sysfs().exists("/sys/class/nvme-generic/" + generic)) {
        found.generic = "/dev/" + generic;
    }
    return found;
}

} // namespace vireo::nodedev
