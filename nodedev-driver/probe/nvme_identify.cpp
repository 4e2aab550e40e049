// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/nvme_identify.hpp"

#include "libshared/fd.hpp"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include <cstring>

namespace vireo::nodedev {

namespace {

constexpr size_t nuse_offset = 16;
constexpr size_t flbas_offset = 26;
constexpr size_t formats_offset = 128;
constexpr size_t format_size = 4;

uint64_t little_endian(const IdentifyData& data, size_t offset, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
        value |= std::to_integer<uint64_t>(data.at(offset + i)) << (8 * i);
    }
    return value;
}

/// What Identify is asked for: its field CNS.
constexpr uint32_t of_namespace = 0;
constexpr uint32_t active_list = 2; // of the namespaces above `id`

std::optional<IdentifyData> identify(const std::string& node, uint32_t what, uint32_t id) {
    const Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    IdentifyData data{};
    nvme_admin_cmd command{};
    command.opcode = 0x06; // Identify
    command.nsid = id;
    command.cdw10 = what;
    command.addr = reinterpret_cast<uintptr_t>(data.data());
    command.data_len = data.size();
    command.timeout_ms = 5000;
    if (!fd || ::ioctl(fd.get(), NVME_IOCTL_ADMIN_CMD, &command) != 0) {
        return std::nullopt;
    }
    return data;
}

} // namespace

std::optional<NamespaceIdentity> parse_identify_namespace(const IdentifyData& data) {
    const uint64_t flbas = little_endian(data, flbas_offset, 1);
    const size_t index = (flbas & 0xf) | (flbas >> 5 & 3) << 4;
    const size_t format = formats_offset + index * format_size;
    const uint64_t exponent = little_endian(data, format + 2, 1);
    constexpr uint64_t smallest = 9; // 512 bytes
    if (exponent < smallest || exponent > 31) {
        return std::nullopt;
    }
    return NamespaceIdentity{.used_blocks = little_endian(data, nuse_offset, 8),
                             .lba_size = uint32_t{1} << exponent,
                             .metadata_size =
                                 static_cast<uint32_t>(little_endian(data, format, 2))};
}

std::vector<uint32_t> parse_namespace_list(const IdentifyData& data) {
    std::vector<uint32_t> namespaces;
    for (size_t at = 0; at < data.size(); at += sizeof(uint32_t)) {
        const auto id = static_cast<uint32_t>(little_endian(data, at, sizeof(uint32_t)));
        if (id == 0) {
            break;
        }
        namespaces.push_back(id);
    }
    return namespaces;
}

std::optional<NamespaceIdentity> identify_namespace(const std::string& node, uint32_t id) {
    const auto data = identify(node, of_namespace, id);
    return data ? parse_identify_namespace(*data) : std::nullopt;
}

std::vector<uint32_t> active_namespaces(const Sysfs& sysfs, const std::string& node) {
    if (sysfs.is_host()) {
        const auto data = identify(node, active_list, 0);
        return data ? parse_namespace_list(*data) : std::vector<uint32_t>();
    }
    IdentifyData data{};
    const std::string bytes = sysfs.bytes(node + ".namespaces", data.size());
    std::memcpy(data.data(), bytes.data(), bytes.size());
    return parse_namespace_list(data);
}

} // namespace vireo::nodedev
