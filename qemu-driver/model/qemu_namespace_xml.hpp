// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

/// The elements with the prefix `qemu:`.
namespace vireo::qemu {

inline constexpr xml::Namespace qemu_namespace{"http://libvirt.org/schemas/domain/qemu/1.0",
                                               "qemu"};

const xml::Type& describe(const QemuCommandline*);
const xml::Type& describe(const QemuCapabilityOverrides*);
const xml::Type& describe(const QemuOverride*);

} // namespace vireo::qemu
