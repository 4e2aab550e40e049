// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/node_device.hpp"

#include <string>
#include <vector>

namespace vireo::nodedev {

/// The offloads that are switched on at a network interface of this host. Empty where the driver
/// does not tell. Source: ethtool's kernel interface, linux/ethtool.h.
std::vector<NetFeature> read_net_features(const std::string& interface);

} // namespace vireo::nodedev
