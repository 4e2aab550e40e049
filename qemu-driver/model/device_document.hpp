// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/problems.hpp"
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <string_view>
#include <variant>

/// Devices that come and go by themselves: the document of one, and its place in a running guest.
namespace vireo::qemu {

/// The kinds that can be plugged into a running guest, out of it, or changed in it.
using Device = std::variant<MemoryDeviceDef>;

/// Reads the document of one device, as it stands inside `<devices>`; what only a running guest
/// says of it (`<current>`) is dropped. Throws xml_error as parse_domain does, and
/// operation_unsupported for an element that is none of these devices; what is not known is passed
/// over and put into `unknowns`.
Device parse_device(std::string_view text, xml::Problems& unknowns);

/// What `memory` is as one more device of the running guest `live`: with its alias, its slot or its
/// PCI address, checked as a definition is. Every other device stays where it is. Throws
/// config_unsupported naming the element and what to do.
MemoryDeviceDef
placed_in(const DomainDef& live, const MemoryDeviceDef& memory, const HostFacts& facts);

} // namespace vireo::qemu
