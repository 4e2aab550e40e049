// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// CPUs that clients describe: each a `<cpu>` element, or a document that holds one of a host
/// (`<capabilities>`, `<domainCapabilities>`). They are measured by what guests of this host can
/// have under its best accelerator.
namespace vireo::qemu::actions {

/// virCPUCompareResult: 0 incompatible, 1 identical, 2 the host has more. `flags`: 1 to throw
/// cpu_incompatible instead of 0, 2 to refuse what no element describes.
Task<std::int32_t> compare_cpu(Driver& driver, std::string xml, std::uint32_t flags);

/// The `<cpu>` that all of them can run. `flags`: 1 to list all features, 2 to leave out those that
/// bind a guest to its host.
Task<std::string> baseline_cpu(Driver& driver, std::vector<std::string> xmls, std::uint32_t flags);

} // namespace vireo::qemu::actions
