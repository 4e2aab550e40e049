// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/contract.hpp"

#include <algorithm>
#include <tuple>

namespace vireo::bus {

namespace {

#include "interfaces/contract_table.inc"

} // namespace

const ContractMember* ContractInterface::find(MemberKind kind,
                                              std::string_view member) const noexcept {
    const auto key = std::tie(kind, member);
    const auto at = std::lower_bound(
        members.begin(), members.end(), key, [](const ContractMember& m, const auto& wanted) {
            return std::tie(m.kind, m.name) < wanted;
        });
    return at != members.end() && at->kind == kind && at->name == member ? &*at : nullptr;
}

bool ContractInterface::at(std::string_view object_path) const noexcept {
    std::string_view wanted = pattern;
    while (true) {
        const std::size_t star = std::min(wanted.find('*'), wanted.size());
        if (!object_path.starts_with(wanted.substr(0, star))) {
            return false;
        }
        object_path.remove_prefix(star);
        if (star == wanted.size()) {
            return object_path.empty();
        }
        wanted.remove_prefix(star + 1);
        const std::size_t element = std::min(object_path.find('/'), object_path.size());
        if (element == 0) {
            return false;
        }
        object_path.remove_prefix(element);
    }
}

std::span<const ContractInterface> contract_interfaces() noexcept {
    return interfaces;
}

const ContractInterface* find_contract(std::string_view interface) noexcept {
    const auto* const at = std::lower_bound(
        std::begin(interfaces), std::end(interfaces), interface, [](const auto& i, auto wanted) {
            return i.name < wanted;
        });
    return at != std::end(interfaces) && at->name == interface ? at : nullptr;
}

} // namespace vireo::bus
