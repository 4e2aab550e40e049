// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/installed_qemu.hpp"

#include "tests/support/qmp_child.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

namespace vireo::test {

using qemu::ProbeRun;

std::vector<qemu::ProbeReply> probe_installed_qemu(ProbeRun run) {
    std::vector<std::string> argv{"qemu-system-x86_64"};
    std::ranges::move(qemu::probe_arguments(run), std::back_inserter(argv));
    QmpChild child(argv);
    std::vector<qemu::ProbeReply> replies;
    for (const qemu::ProbeCommand& command : qemu::probe_commands(run)) {
        replies.push_back({command.execute,
                           command.arguments,
                           child.execute(command.execute, command.arguments)});
    }
    child.execute("quit");
    CHECK(child.finish() == "");
    return replies;
}

std::shared_ptr<const qemu::QemuCapabilities> installed_qemu() {
    static const auto caps = std::make_shared<const qemu::QemuCapabilities>(
        qemu::capabilities_from_replies("/usr/bin/qemu-system-x86_64",
                                        probe_installed_qemu(ProbeRun::best_accelerator),
                                        probe_installed_qemu(ProbeRun::tcg_only)));
    return caps;
}

} // namespace vireo::test
