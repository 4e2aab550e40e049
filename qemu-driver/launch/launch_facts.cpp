// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/launch_facts.hpp"

#include "libshared/sysfs.hpp"
#include "qemu-driver/guest_secrets.hpp"
#include "qemu-driver/launch/helpers.hpp"
#include "qemu-driver/launch/huge_pages.hpp"

#include <fmt/format.h>

#include <ctime>

namespace vireo::qemu {

LaunchFacts launch_facts_of(const Directories& directories,
                            std::string folder,
                            std::uint32_t id,
                            const DomainDef& live) {
    LaunchFacts facts;
    facts.private_dir = std::move(folder);
    facts.channel_dir = facts.private_dir;
    facts.master_key_file = master_key_file(facts.private_dir);
    facts.memory_backing_dir = fmt::format("{}/qemu/ram/{}", directories.state, id);
    const Sysfs host;
    facts.huge_pages = huge_page_dirs(host, fmt::format("{}-{}", id, live.uuid.value_or("")));
    const auto nodes = numbers_in(host.text("/sys/devices/system/node/has_memory").value_or(""));
    facts.numa_nodes.insert(nodes.begin(), nodes.end());
    facts.passt_prefix = passt_prefix_in(facts.private_dir);
    facts.tpm_socket = tpm_socket_in(facts.private_dir);
    facts.tpm_versions = {TpmVersion::v1_2, TpmVersion::v2_0};
    facts.now_s = std::time(nullptr);
    std::tm local{};
    localtime_r(&facts.now_s, &local);
    facts.utc_offset_s = local.tm_gmtoff;
    return facts;
}

} // namespace vireo::qemu
