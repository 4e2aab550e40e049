// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <memory>
#include <string>

/// Secrets that a guest's disks name and storaged keeps.
namespace vireo::qemu {

/// The key that a guest's secrets are sealed with lies in its own folder, for QEMU and for a daemon
/// that comes later.
std::string master_key_file(const std::string& private_dir);

/// Makes that key. Throws system_error.
void make_master_key(const std::string& private_dir);

/// The secrets that the devices of `def` name, for a plan. storaged is asked where there are any;
/// throws with the device's line and the secret what it says. The guest's key must be there.
Task<SecretFacts>
fetch_secrets(Host& host, std::shared_ptr<const DomainDef> def, std::string private_dir);

} // namespace vireo::qemu
