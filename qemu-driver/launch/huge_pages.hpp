// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <string>
#include <vector>

/// The host's huge pages: which sizes, where they are mounted, whether there are enough.
namespace vireo::qemu {

/// Each size that the kernel has, with the folder of `guest` in the first hugetlbfs that is mounted
/// for it; the path is empty where none is. Source: /sys/kernel/mm/hugepages, /proc/mounts,
/// `Hugepagesize` of /proc/meminfo.
std::vector<HugePageDir> huge_page_dirs(const Sysfs& host, const std::string& guest);

/// The kernel's default size in KiB; 0 where it has no huge pages. It stays the same until the host
/// boots again.
uint64_t default_huge_page_kib(const Sysfs& host);

/// Throws config_unsupported, saying how many are wanted and free and how to get more, where the
/// guest could not start for want of huge pages: of a size, or of those on the nodes that its
/// memory must come from. Another guest may still take them before this one does.
void require_huge_pages(const DomainDef& def, const HostFacts& facts, const Sysfs& host);

} // namespace vireo::qemu
