// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace vireo::qemu {

/// Runs the QEMU `binary` without a machine and asks what it can do (probe.hpp). With `try_kvm` it
/// is run with KVM first; where that fails (a /dev/kvm that opens may still not work) without. No
/// run outlives the task; all together take `limit` at most. Throws operation_failed with the
/// binary's path, what went wrong, how the binary ended and what it printed; system_error where it
/// cannot be started.
Task<std::shared_ptr<const QemuCapabilities>>
probe_binary(Loop& loop,
             std::string binary,
             bool try_kvm,
             std::chrono::milliseconds limit = std::chrono::seconds(30));

/// Asks what the named CPU models have under KVM or TCG: another run of some 100 ms. The same
/// errors.
Task<std::shared_ptr<const CpuModels>>
probe_cpu_models(Loop& loop, std::string binary, bool kvm, std::chrono::milliseconds limit);

} // namespace vireo::qemu
