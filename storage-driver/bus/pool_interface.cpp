// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/pool_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "storage-driver/actions/pool_contents.hpp"
#include "storage-driver/actions/pool_lifecycle.hpp"
#include "storage-driver/actions/volumes.hpp"
#include "storage-driver/bus/paths.hpp"

namespace vireo::storage {

Task<void> PoolInterface::set_autostart(bool autostart) {
    return actions::set_autostart(storage_, pool_, autostart);
}

Task<void> PoolInterface::build(uint32_t flags) {
    return actions::build_pool(storage_, pool_, flags);
}

Task<void> PoolInterface::create(uint32_t flags) {
    return actions::start_pool(storage_, pool_, flags);
}

Task<void> PoolInterface::remove(uint32_t flags) {
    return actions::delete_pool(storage_, pool_, flags);
}

Task<void> PoolInterface::destroy() {
    return actions::stop_pool(storage_, pool_);
}

std::tuple<int32_t, uint64_t, uint64_t, uint64_t> PoolInterface::get_info() const {
    const PoolDef& pool = pool_->any();
    return {static_cast<int32_t>(pool_->state()), pool.capacity, pool.allocation, pool.available};
}

std::string PoolInterface::get_xml_desc(uint32_t flags) const {
    constexpr uint32_t inactive = 1;
    actions::check_flags("GetXMLDesc of a pool", flags, inactive);
    const bool stored = (flags & inactive) != 0 && pool_->persistent();
    return format_pool(stored ? *pool_->definition : pool_->any());
}

std::vector<bus::ObjectPath> PoolInterface::list_volumes(uint32_t flags) const {
    actions::check_flags("ListStorageVolumes", flags, 0);
    actions::require_active(*pool_);
    std::vector<bus::ObjectPath> paths;
    for (const auto& [name, volume] : pool_->volumes) {
        paths.push_back(volume_path(volume));
    }
    return paths;
}

Task<void> PoolInterface::refresh(uint32_t flags) {
    return actions::refresh_pool(storage_, pool_, flags);
}

Task<bus::ObjectPath> PoolInterface::create_volume(std::string xml, uint32_t flags) {
    const std::string name =
        co_await actions::create_volume(storage_, pool_, std::move(xml), flags);
    co_return volume_path(actions::known_volume(*pool_, name));
}

bus::ObjectPath PoolInterface::lookup_volume(const std::string& name) const {
    actions::require_active(*pool_);
    return volume_path(actions::known_volume(*pool_, name));
}

Task<void> PoolInterface::undefine() {
    return actions::undefine_pool(storage_, pool_);
}

constexpr sd_bus_vtable pool_vtable[] = {
    bus::start(),
    bus::property<&PoolInterface::active>("Active"),
    bus::writable<&PoolInterface::autostart, &PoolInterface::set_autostart>("Autostart"),
    bus::property<&PoolInterface::name>("Name", bus::Changes::never),
    bus::property<&PoolInterface::persistent>("Persistent"),
    bus::property<&PoolInterface::uuid>("UUID", bus::Changes::never),
    bus::method<&PoolInterface::build, "flags">("Build"),
    bus::method<&PoolInterface::create, "flags">("Create"),
    bus::method<&PoolInterface::remove, "flags">("Delete"),
    bus::method<&PoolInterface::destroy>("Destroy"),
    bus::method<&PoolInterface::get_info, "info">("GetInfo"),
    bus::method<&PoolInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::method<&PoolInterface::list_volumes, "flags", "storageVols">("ListStorageVolumes"),
    bus::method<&PoolInterface::refresh, "flags">("Refresh"),
    bus::method<&PoolInterface::create_volume, "xml", "flags", "storageVol">("StorageVolCreateXML"),
    bus::method<&PoolInterface::lookup_volume, "name", "storageVol">("StorageVolLookupByName"),
    bus::method<&PoolInterface::undefine>("Undefine"),
    bus::signal<>::of<>("Refresh"),
    bus::end(),
};

} // namespace vireo::storage
