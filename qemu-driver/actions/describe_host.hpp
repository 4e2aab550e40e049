// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <string>
#include <vector>

/// What this host can run. Each waits for a probe of the QEMU binary where it is not known yet.
namespace vireo::qemu::actions {

/// The document of `GetCapabilities`.
Task<std::string> describe_host(Driver& driver);

/// The CPU models that a guest of `arch` can have. Throws invalid_arg where no emulator is for it.
Task<std::vector<std::string>> cpu_model_names(Driver& driver, std::string arch);

/// What a guest's document would name; empty: the default.
struct EmulatorQuestion {
    std::string emulator;
    std::string arch;
    std::string machine;
    std::string virttype; // "kvm" or "qemu"
};

/// The document of `GetDomainCapabilities`. Throws invalid_arg naming what the emulator does not
/// have.
Task<std::string> describe_emulator(Driver& driver, EmulatorQuestion question);

} // namespace vireo::qemu::actions
