// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

/// Questions and changes to the list of controllers, which is kept sorted by index within a type.
namespace vireo::qemu {

const ControllerDef* find_controller(const DomainDef& def, ControllerType type, uint32_t index);
/// The guest has a PCI controller of that model at index 0.
bool has_pci_root(const DomainDef& def, PciModel model);
/// Puts it behind the controllers of its type with a lower index.
void insert_controller(DomainDef& def, ControllerDef controller);
/// Puts it at the end, where what a document did not name stands.
void append_controller(DomainDef& def, ControllerDef controller);
/// Adds a controller without a model unless there is one with that index.
void add_controller_if_missing(DomainDef& def, ControllerType type, uint32_t index);
/// The lowest index that no controller of that type has.
uint32_t free_controller_index(const DomainDef& def, ControllerType type);

} // namespace vireo::qemu
