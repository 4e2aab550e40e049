// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/host_facts.hpp"

#include "libshared/error.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/launch/huge_pages.hpp"

#include <sys/random.h>
#include <unistd.h>

namespace vireo::qemu {

void fill_random(std::span<std::uint8_t> bytes) {
    check_errno(static_cast<int>(getrandom(bytes.data(), bytes.size(), 0)), "ask for random bytes");
}

HostFacts page_facts() {
    HostFacts facts;
    facts.page_kib = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
    // Absent where the kernel has no transparent huge pages.
    if (const auto bytes = Sysfs().number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")) {
        facts.huge_pmd_kib = static_cast<std::uint64_t>(*bytes) / 1024;
    }
    static const uint64_t default_kib = default_huge_page_kib(Sysfs());
    if (default_kib != 0) {
        facts.huge_pages.push_back({.size_kib = default_kib, .path = {}, .is_default = true});
    }
    return facts;
}

HostFacts host_facts(const Host& host, std::shared_ptr<const QemuCapabilities> capabilities) {
    HostFacts facts = page_facts();
    facts.arch = "x86_64";
    facts.emulators["x86_64"] = default_emulator();
    facts.kvm = capabilities->kvm_enabled;
    facts.qemu = std::move(capabilities);
    facts.nvram_dir = host.options.directories.state + "/qemu/nvram";
    facts.random_bytes = &fill_random;
    return facts;
}

} // namespace vireo::qemu
