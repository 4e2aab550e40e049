// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/field.hpp"
#include "nodedev-driver/model/pci_capability.hpp"

namespace vireo::nodedev {

/// `<product id='0x1041'>name</product>`
const xml::Type& describe(const NamedId*);
const xml::Type& describe(const PciCapability*);

} // namespace vireo::nodedev
