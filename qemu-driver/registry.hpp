// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/domain.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vireo::qemu {

/// Every domain, by UUID, by name and, while active, by id. Names and UUIDs are unique.
class Registry {
  public:
    /// Null where there is none.
    DomainPtr find_uuid(std::string_view uuid) const;
    DomainPtr find_name(std::string_view name) const;
    DomainPtr find_id(std::uint32_t id) const;

    /// Throw no_domain with the texts that libvirt's clients match on.
    DomainPtr by_uuid(std::string_view uuid) const;
    DomainPtr by_name(std::string_view name) const;
    DomainPtr by_id(std::int32_t id) const;

    /// Throws no_domain where it has been removed meanwhile: to be asked again after each wait for
    /// a turn.
    void require(const Domain& domain) const;

    /// In the order of their names.
    const std::map<std::string, DomainPtr, std::less<>>& by_names() const noexcept {
        return names_;
    }

    std::size_t active() const noexcept { return ids_.size(); }

    /// The active ones.
    const std::unordered_map<std::uint32_t, DomainPtr>& by_ids() const noexcept { return ids_; }

    /// Throws operation_failed where the name or the UUID is taken.
    void add(DomainPtr domain);
    void remove(const Domain& domain) noexcept;
    /// Throws operation_failed where the new name is taken.
    void rename(Domain& domain, const std::string& name);
    /// Domain and id belong together from now on, or no more.
    void set_guest(Domain& domain, std::shared_ptr<Guest> guest);
    void clear_guest(Domain& domain) noexcept;

  private:
    std::map<std::string, DomainPtr, std::less<>> names_;
    std::unordered_map<std::string, DomainPtr> uuids_;
    std::unordered_map<std::uint32_t, DomainPtr> ids_;
};

} // namespace vireo::qemu
