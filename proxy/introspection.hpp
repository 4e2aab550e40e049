// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace vireo::proxy {

/// The introspection document of `path` from the contract alone: no driver is asked, so the objects
/// of a collection are not listed, as libvirt-dbus does not list them either. Empty where there is
/// nothing at or below that path.
std::string introspect(std::string_view path);

} // namespace vireo::proxy
