// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/domain.hpp"

#include "libshared/bus/path.hpp"

namespace vireo::qemu {

Domain::Domain(Loop& loop, std::string uuid_, std::string name_)
    : uuid(std::move(uuid_)),
      path("/org/libvirt/QEMU/domain/" + bus::encode_uuid(uuid)),
      name(std::move(name_)),
      changes(loop) {}

std::string native_path(const Domain& domain) {
    return "/org/vireo/domain/" + bus::encode_uuid(domain.uuid);
}

std::string uuid_of_path(std::string_view path) {
    return bus::decode_uuid(path.substr(path.rfind('/') + 1)).value_or("");
}

} // namespace vireo::qemu
