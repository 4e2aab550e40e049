// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/nvme_identify.hpp"

#include "libshared/fd.hpp"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

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

std::optional<NamespaceIdentity> identify_namespace(const std::string& node, uint32_t id) {
    const Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    IdentifyData data{};
    constexpr uint8_t identify = 0x06;
    nvme_admin_cmd command{};
    command.opcode = identify; // what: CNS 0 in cdw10, the namespace `nsid`
    command.nsid = id;
    command.addr = reinterpret_cast<uintptr_t>(data.data());
    command.data_len = data.size();
    command.timeout_ms = 5000;
    if (!fd || ::ioctl(fd.get(), NVME_IOCTL_ADMIN_CMD, &command) != 0) {
        return std::nullopt;
    }
    return parse_identify_namespace(data);
}

} // namespace vireo::nodedev
