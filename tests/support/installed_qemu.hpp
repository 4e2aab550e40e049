// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/probe.hpp"

#include <memory>
#include <vector>

namespace vireo::test {

/// Runs the machine's QEMU for one probe run; it must end without a word.
std::vector<qemu::ProbeReply> probe_installed_qemu(qemu::ProbeRun run);

/// What the machine's QEMU can do, probed once per process.
std::shared_ptr<const qemu::QemuCapabilities> installed_qemu();

} // namespace vireo::test
