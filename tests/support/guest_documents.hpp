// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <filesystem>
#include <string>

namespace vireo::test {

/// A small q35 guest under TCG without disks: its firmware finds nothing to boot. 64 MiB.
std::string small_guest(const std::string& name, const std::string& devices = {});

/// A guest that writes an `R` to its serial port once it is up and then turns itself off as soon as
/// its power button is pressed or anything is written to the port, which is a UNIX socket at
/// `folder/NAME.serial`. Its disk is put into `folder`.
std::string power_button_guest(const std::string& name, const std::filesystem::path& folder);

} // namespace vireo::test
