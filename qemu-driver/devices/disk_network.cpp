// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"

namespace vireo::qemu {

using nlohmann::json;

json network_source(const PlanContext&, const NetworkSource& source) {
    throw Error(ErrorCode::config_unsupported,
                "disk source: protocol '{}' is not supported",
                name_of(source.protocol));
}

} // namespace vireo::qemu
