// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/volume_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "storage-driver/actions/pool_contents.hpp"
#include "storage-driver/actions/volumes.hpp"

namespace vireo::storage {

std::string VolumeInterface::key() const {
    return actions::known_volume(*pool_, name_).key.value_or("");
}

std::string VolumeInterface::path() const {
    return actions::known_volume(*pool_, name_).target.path.value_or("");
}

Task<void> VolumeInterface::remove(uint32_t flags) {
    return actions::delete_volume(storage_, pool_, name_, flags);
}

Task<std::tuple<int32_t, uint64_t, uint64_t>> VolumeInterface::get_info(uint32_t flags) {
    constexpr uint32_t get_physical = 1;
    actions::check_flags("GetInfo of a volume", flags, get_physical);
    const VolumeDef volume = co_await actions::look_at_volume(storage_, pool_, name_);
    const uint64_t allocation = volume.allocation.value_or(0);
    const bool physical = (flags & get_physical) != 0;
    co_return std::tuple(static_cast<int32_t>(volume.type),
                         volume.capacity.value_or(0),
                         physical ? volume.physical.value_or(allocation) : allocation);
}

Task<std::string> VolumeInterface::get_xml_desc(uint32_t flags) {
    actions::check_flags("GetXMLDesc of a volume", flags, 0);
    const VolumeDef volume = co_await actions::look_at_volume(storage_, pool_, name_);
    co_return format_volume(volume);
}

Task<void> VolumeInterface::resize(uint64_t capacity, uint32_t flags) {
    return actions::resize_volume(storage_, pool_, name_, capacity, flags);
}

constexpr sd_bus_vtable volume_vtable[] = {
    bus::start(),
    bus::property<&VolumeInterface::name>("Name", bus::Changes::never),
    bus::property<&VolumeInterface::key>("Key", bus::Changes::never),
    bus::property<&VolumeInterface::path>("Path", bus::Changes::never),
    bus::method<&VolumeInterface::remove, "flags">("Delete"),
    bus::method<&VolumeInterface::get_info, "flags", "info">("GetInfo"),
    bus::method<&VolumeInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::method<&VolumeInterface::resize, "capacity", "flags">("Resize"),
    bus::end(),
};

} // namespace vireo::storage
