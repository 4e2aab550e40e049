// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/field.hpp"
#include "nodedev-driver/model/node_device.hpp"

/// Descriptions that one *_xml.cpp has and another one uses.
namespace vireo::nodedev {

/// `<product id='0x1041'>name</product>`
const xml::Type& describe(const NamedId*);
const xml::Type& describe(const PciAddress*);
const xml::Type& describe(const PciCapability*);
const xml::Type& describe(const VitalProductData*);
const xml::Type& describe(const MdevTypes*);
const xml::Type& describe(const MdevCapability*);
const xml::Type& describe(const ScsiHostCapability*);
const xml::Type& describe(const ScsiTargetCapability*);
const xml::Type& describe(const ScsiCapability*);
const xml::Type& describe(const ScsiGenericCapability*);
const xml::Type& describe(const CcwCapability*);
const xml::Type& describe(const CssCapability*);
const xml::Type& describe(const ApCardCapability*);
const xml::Type& describe(const ApQueueCapability*);
const xml::Type& describe(const ApMatrixCapability*);
const xml::Type& describe(const StorageCapability*);
const xml::Type& describe(const NvmeNamespace*);
const xml::Type& describe(const NvmeCapability*);

} // namespace vireo::nodedev
