// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/numa_advice.hpp"

#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/devices/memory_policy.hpp"

#include <chrono>

namespace vireo::qemu {

Task<std::optional<std::string>> numa_advice(Loop& loop, std::shared_ptr<const DomainDef> def) {
    if (!needs_numa_advice(*def)) {
        co_return std::nullopt;
    }
    using namespace std::chrono_literals;
    constexpr uint64_t kib_per_mib = 1024;
    ProcessSpec spec;
    spec.program = "numad";
    // Source: numad(8), "-w <NCPUS[:MB]>": advises and changes nothing.
    spec.arguments.emplace_back("-w");
    spec.arguments.push_back(
        fmt::format("{}:{}", def->vcpus.maximum, def->memory.total_kib / kib_per_mib));
    auto running = run_command(loop, std::move(spec), 10s);
    std::string nodes;
    std::string trouble;
    try {
        const Output output = co_await std::move(running);
        nodes = output.out;
        trouble = output.status.success() ? "" : output.status.text() + " " + output.errors;
    } catch (const Error& e) {
        trouble = e.what();
    }
    while (!nodes.empty() && nodes.back() == '\n') {
        nodes.pop_back();
    }
    if (!trouble.empty() || numbers_in(nodes).empty()) {
        throw Error(ErrorCode::config_unsupported,
                    "numatune: placement='auto' asks numad which nodes are best, and it gave no "
                    "answer ({}); install it, or name the nodes by nodeset=",
                    trouble.empty() ? fmt::format("'{}'", nodes) : trouble);
    }
    co_return nodes;
}

} // namespace vireo::qemu
