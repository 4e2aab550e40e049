// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/secret_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "storage-driver/actions/pool_contents.hpp"

namespace vireo::storage {

std::vector<uint8_t> SecretInterface::get_value(bus::Caller caller, uint32_t flags) const {
    actions::check_flags("GetValue", flags, 0);
    return caller.name.empty() ? value_for_driver(*secret_) : value_for_client(*secret_);
}

std::string SecretInterface::get_xml_desc(uint32_t flags) const {
    actions::check_flags("GetXMLDesc of a secret", flags, 0);
    return format_secret(secret_->def);
}

Task<void> SecretInterface::set_value(std::vector<uint8_t> value, uint32_t flags) {
    actions::check_flags("SetValue", flags, 0);
    return secrets_.set_value(secret_, std::move(value));
}

Task<void> SecretInterface::undefine() {
    return secrets_.undefine(secret_);
}

constexpr sd_bus_vtable secret_vtable[] = {
    bus::start(),
    bus::property<&SecretInterface::uuid>("UUID", bus::Changes::never),
    bus::property<&SecretInterface::usage_id>("UsageID", bus::Changes::never),
    bus::property<&SecretInterface::usage_type>("UsageType", bus::Changes::never),
    bus::method<&SecretInterface::get_value, "flags", "value">("GetValue"),
    bus::method<&SecretInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::method<&SecretInterface::set_value, "value", "flags">("SetValue"),
    bus::method<&SecretInterface::undefine>("Undefine"),
    bus::end(),
};

} // namespace vireo::storage
