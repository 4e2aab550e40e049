// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Kernel same-page merging (KSM) through libvirt's node memory parameters.
namespace vireo::storage {

/// One parameter: libvirt's name, the kernel's value. Wide ones are `t` on the bus, others `u`.
struct PageSharingParameter {
    std::string name;
    uint64_t value{};
    bool wide{};

    bool operator==(const PageSharingParameter&) const = default;
};

/// What the kernel has of them; a kernel without KSM has none.
/// Source: the kernel's Documentation/admin-guide/mm/ksm.rst.
std::vector<PageSharingParameter> page_sharing_parameters(const std::string& prefix);

/// Throws invalid_arg unless `name` is a parameter that can be set and `value` fits it,
/// operation_invalid where the kernel does not have it.
void check_page_sharing(const std::string& prefix, std::string_view name, uint64_t value);

/// Sets one. Throws as above, and operation_failed where the kernel refuses (merging across nodes
/// changes only while nothing is merged).
void set_page_sharing(const std::string& prefix, std::string_view name, uint64_t value);

} // namespace vireo::storage
