// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/snapshot_path.hpp"

#include "libshared/bus/path.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

std::string snapshot_path(const Domain& domain, std::string_view name) {
    return fmt::format(
        "{}/{}_{}", snapshot_folder, bus::encode_uuid(domain.uuid), bus::encode_path_element(name));
}

std::optional<SnapshotPath> parse_snapshot_path(std::string_view path) {
    constexpr std::size_t uuid_length = 37; // with the `_` before it
    const std::string_view element = path.substr(path.rfind('/') + 1);
    if (element.size() < uuid_length + 2 || element[uuid_length] != '_') {
        return std::nullopt;
    }
    auto uuid = bus::decode_uuid(element.substr(0, uuid_length));
    auto name = bus::decode_path_element(element.substr(uuid_length + 1));
    if (!uuid || !name) {
        return std::nullopt;
    }
    return SnapshotPath{std::move(*uuid), std::move(*name)};
}

} // namespace vireo::qemu
