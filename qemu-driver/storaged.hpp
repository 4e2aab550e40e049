// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "libshared/bus/types.hpp"
#include "libshared/daemon/driver_caller.hpp"

#include <chrono>
#include <string>

/// What questions to storaged have in common, whatever they are about.
namespace vireo::qemu {

/// How long one answer may take.
inline constexpr std::chrono::microseconds storaged_limit = std::chrono::seconds(10);
inline constexpr const char* storaged_path = "/org/libvirt/QEMU";
inline constexpr const char* storaged_interface = "org.libvirt.Connect";

/// What `member` of an object finds by a name.
Task<bus::ObjectPath> look_up(DriverCaller::ConnectionPtr storaged,
                              std::string path,
                              std::string interface,
                              std::string member,
                              std::string name);

} // namespace vireo::qemu
