// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/domain.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

constexpr std::size_t uuid_length = 36;

std::string path_below(std::string path, std::string_view uuid) {
    const std::size_t begin = path.size();
    path += uuid;
    std::replace(path.begin() + static_cast<std::ptrdiff_t>(begin), path.end(), '-', '_');
    return path;
}

} // namespace

std::string libvirt_path(const Domain& domain) {
    return path_below("/org/libvirt/QEMU/domain/_", domain.uuid);
}

std::string native_path(const Domain& domain) {
    return path_below("/org/vireo/domain/_", domain.uuid);
}

std::string uuid_of_path(std::string_view path) {
    const std::string_view last = path.substr(path.rfind('/') + 1);
    if (last.size() != uuid_length + 1 || last[0] != '_') {
        return {};
    }
    std::string uuid(last.substr(1));
    std::ranges::replace(uuid, '_', '-');
    return uuid;
}

} // namespace vireo::qemu
