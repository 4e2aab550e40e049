// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/problems.hpp"
#include "qemu-driver/model/guest_devices.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <string_view>
#include <vector>

/// Devices that come and go by themselves: the document of one, and its place in a running guest.
namespace vireo::qemu {

/// Reads the document of one device, as it stands inside `<devices>`; what only a running guest
/// says of it (`<current>`, node numbers, the daemon's own aliases where not `keep_alias`) is
/// dropped. Throws xml_error as parse_domain does, and operation_unsupported for an element that is
/// none of these devices; what is not known is passed over and put into `unknowns`.
Device
parse_device(std::string_view text, bool keep_alias = true, xml::Problems* unknowns = nullptr);

/// A device as a running guest can have it, and the drive controllers that it needs and the guest
/// lacks, in the order in which they are to be plugged before it.
struct PlacedDevice {
    Device device;
    std::vector<ControllerDef> controllers;
};

/// What `device` is as one more device of the running guest `live`: with its defaults, its alias
/// and its address, checked as a definition is. Every other device stays where it is. Throws
/// config_unsupported naming the element and what to do.
PlacedDevice placed_in(const DomainDef& live, const Device& device, const HostFacts& facts);

} // namespace vireo::qemu
