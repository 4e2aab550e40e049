// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "qemu-driver/actions/stats_record.hpp"

#include <utility>

namespace vireo::qemu {

/// A domain's statistics as org.libvirt.* sends them.
inline bus::LibvirtDict to_dict(actions::StatsRecord record) {
    bus::LibvirtDict dict;
    dict.reserve(record.size());
    for (auto& [name, value] : record) {
        dict.emplace_back(
            std::move(name),
            std::visit([](auto& held) { return bus::Variant(std::move(held)); }, value));
    }
    return dict;
}

} // namespace vireo::qemu
