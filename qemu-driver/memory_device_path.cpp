// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/memory_device_path.hpp"

#include "libshared/bus/path.hpp"

namespace vireo::qemu {

namespace {

constexpr std::string_view folder = "/memory/";

} // namespace

std::string memory_device_path(const Domain& domain, std::string_view alias) {
    return fmt::format("{}{}{}", native_path(domain), folder, bus::encode_path_element(alias));
}

std::optional<MemoryDevicePath> parse_memory_device_path(std::string_view path) {
    const std::size_t at = path.rfind(folder);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    auto alias = bus::decode_path_element(path.substr(at + folder.size()));
    if (!alias || alias->empty()) {
        return std::nullopt;
    }
    return MemoryDevicePath{path.substr(0, at), std::move(*alias)};
}

} // namespace vireo::qemu
