// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/pci_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace vireo::nodedev {

std::optional<PciAddress> parse_pci_address(std::string_view name) {
    constexpr std::array ends{':', ':', '.', '\0'};
    std::array<uint32_t, 4> parts{};
    for (size_t i = 0; i < parts.size(); ++i) {
        const char* const last = name.data() + name.size();
        const auto [end, error] = std::from_chars(name.data(), last, parts.at(i), 16);
        const bool ended = ends.at(i) == '\0' ? end == last : end != last && *end == ends.at(i);
        if (error != std::errc() || !ended) {
            return std::nullopt;
        }
        name.remove_prefix(std::min(static_cast<size_t>(end - name.data()) + 1, name.size()));
    }
    return PciAddress{.domain = parts[0], .bus = parts[1], .slot = parts[2], .function = parts[3]};
}

std::string format_pci_address(const PciAddress& address) {
    return fmt::format(
        "{:04x}:{:02x}:{:02x}.{:x}", address.domain, address.bus, address.slot, address.function);
}

} // namespace vireo::nodedev
