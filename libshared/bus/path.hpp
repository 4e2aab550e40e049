// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Names of objects as elements of D-Bus object paths, in libvirt-dbus's way: clients build these
/// paths themselves.
namespace vireo::bus {

/// ASCII letters and digits stay, any other byte becomes `_` and two lower-case hexadecimal digits:
/// `pci_0000` is `pci_5f0000`.
std::string encode_path_element(std::string_view name);

/// The name that encode_path_element gives `element` for; nothing where there is none.
std::optional<std::string> decode_path_element(std::string_view element);

/// `_` and the UUID with `_` for each dash.
std::string encode_uuid(std::string_view uuid);

/// The UUID of such an element, unchecked but for its form; nothing where it has another.
std::optional<std::string> decode_uuid(std::string_view element);

} // namespace vireo::bus
