// SPDX-License-Identifier: LGPL-2.1-or-later
// IBM Z. Source: the kernel's Documentation/arch/s390/driver-model.rst and vfio-ap.rst.
#include "nodedev-driver/probe/mdev_types.hpp"
#include "nodedev-driver/probe/probe.hpp"

#include <array>
#include <charconv>

namespace vireo::nodedev {

namespace {

/// Hexadecimal numbers separated by dots, as many as there are places.
template <size_t N>
std::optional<std::array<uint32_t, N>> dotted(std::string_view text) {
    std::array<uint32_t, N> parts{};
    for (uint32_t& part : parts) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part, 16);
        const auto used = static_cast<size_t>(end - text.data());
        const bool last = &part == &parts.back();
        if (error != std::errc() || (last ? used != text.size() : text.substr(used, 1) != ".")) {
            return std::nullopt;
        }
        text.remove_prefix(last ? used : used + 1);
    }
    return parts;
}

std::optional<CcwAddress> parse_ccw_address(std::string_view text) {
    const auto parts = dotted<3>(text);
    return parts ? std::optional(CcwAddress{(*parts)[0], (*parts)[1], (*parts)[2]}) : std::nullopt;
}

} // namespace

std::optional<NodeDevice> probe_ccw(const ProbeSources&, const SysDevice& device) {
    const auto address = parse_ccw_address(device.sysname());
    if (!address || device.number("online") != 1) {
        return std::nullopt; // a mainframe has thousands that are not in use
    }
    NodeDevice node = base_device(device);
    node.capability = CcwCapability{*address};
    return node;
}

std::optional<NodeDevice> probe_css(const ProbeSources&, const SysDevice& device) {
    const auto address = parse_ccw_address(device.sysname());
    NodeDevice node = base_device(device);
    if (!address || (node.driver != "io_subchannel" && node.driver != "vfio_ccw")) {
        return std::nullopt;
    }
    node.capability =
        CssCapability{.address = *address,
                      .channel_dev_addr = parse_ccw_address(device.text("dev_busid").value_or("")),
                      .mdev_types = read_mdev_types(device)};
    return node;
}

std::optional<NodeDevice> probe_ap(const ProbeSources&, const SysDevice& device) {
    const std::string type = device.property("DEVTYPE");
    NodeDevice node = base_device(device);
    if (type == "ap_card" && device.sysname().starts_with("card")) {
        const auto card = dotted<1>(std::string_view(device.sysname()).substr(4));
        if (!card) {
            return std::nullopt;
        }
        node.capability = ApCardCapability{(*card)[0]};
        return node;
    }
    const auto queue = dotted<2>(device.sysname());
    if (type != "ap_queue" || !queue || (*queue)[1] > UINT8_MAX) {
        return std::nullopt;
    }
    node.capability = ApQueueCapability{(*queue)[0], static_cast<uint8_t>((*queue)[1])};
    return node;
}

std::optional<NodeDevice> probe_matrix(const ProbeSources&, const SysDevice& device) {
    NodeDevice node = base_device(device);
    node.name = "ap_matrix"; // there is one
    node.capability = ApMatrixCapability{.mdev_types = read_mdev_types(device)};
    return node;
}

} // namespace vireo::nodedev
