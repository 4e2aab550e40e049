// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/host_facts.hpp"

#include <nlohmann/json.hpp>

namespace vireo::qemu {

/// A host described by a file instead of the one that the program runs on: the environment of the
/// conformance corpora.
struct Environment {
    nlohmann::json settings;
    std::shared_ptr<const QemuCapabilities> qemu;
    HostFacts facts;
};

/// Reads the file, and the recorded replies of a QEMU that it names. Throws read_failed or
/// parse_failed with the file's name.
Environment load_environment(const std::string& path);

} // namespace vireo::qemu
