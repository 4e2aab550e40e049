// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

namespace vireo::nodedev {

/// Looks a key (`ID_VENDOR_FROM_DATABASE`) up for a modalias (`pci:v00008086`); empty if not known.
using HardwareNames = std::function<std::string(const std::string& modalias, const char* key)>;

/// udev's compiled hardware database (hwdb(7)), which holds the names of pci.ids and usb.ids. Where
/// it is not installed, nothing has a name. It is mapped for as long as this is held, of which a
/// scan of the whole host touches a megabyte.
HardwareNames open_hardware_names();

/// The same, opened anew for each question: for the device that comes now and then.
HardwareNames hardware_names();

} // namespace vireo::nodedev
