// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/registry.hpp"

#include "libshared/error.hpp"

namespace vireo::qemu {

namespace {

template <class Map, class Key>
DomainPtr find_in(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
}

} // namespace

DomainPtr Registry::find_uuid(std::string_view uuid) const {
    return find_in(uuids_, std::string(uuid));
}

DomainPtr Registry::find_name(std::string_view name) const {
    return find_in(names_, name);
}

DomainPtr Registry::find_id(std::uint32_t id) const {
    return find_in(ids_, id);
}

DomainPtr Registry::by_uuid(std::string_view uuid) const {
    DomainPtr domain = find_uuid(uuid);
    if (!domain) {
        throw Error(ErrorCode::no_domain, "no domain with matching uuid '{}'", uuid);
    }
    return domain;
}

DomainPtr Registry::by_name(std::string_view name) const {
    DomainPtr domain = find_name(name);
    if (!domain) {
        throw Error(ErrorCode::no_domain, "no domain with matching name '{}'", name);
    }
    return domain;
}

DomainPtr Registry::by_id(std::int32_t id) const {
    DomainPtr domain = id < 0 ? nullptr : find_id(static_cast<std::uint32_t>(id));
    if (!domain) {
        throw Error(ErrorCode::no_domain, "no domain with matching id {}", id);
    }
    return domain;
}

void Registry::require(const Domain& domain) const {
    if (find_uuid(domain.uuid).get() != &domain) {
        throw Error(ErrorCode::no_domain, "no domain with matching uuid '{}'", domain.uuid);
    }
}

void Registry::add(DomainPtr domain) {
    if (const DomainPtr other = find_name(domain->name)) {
        throw Error(ErrorCode::operation_failed,
                    "domain '{}' already exists with uuid {}",
                    other->name,
                    other->uuid);
    }
    if (const DomainPtr other = find_uuid(domain->uuid)) {
        throw Error(ErrorCode::operation_failed,
                    "domain '{}' is already defined with uuid {}",
                    other->name,
                    other->uuid);
    }
    uuids_.emplace(domain->uuid, domain);
    names_.emplace(domain->name, std::move(domain));
}

void Registry::remove(const Domain& domain) noexcept {
    const DomainPtr kept = find_uuid(domain.uuid); // the maps may hold the last reference
    names_.erase(domain.name);
    uuids_.erase(domain.uuid);
}

void Registry::rename(Domain& domain, const std::string& name) {
    if (const DomainPtr other = find_name(name)) {
        throw Error(ErrorCode::operation_failed,
                    "domain '{}' already exists with uuid {}",
                    name,
                    other->uuid);
    }
    auto node = names_.extract(domain.name);
    node.key() = name;
    names_.insert(std::move(node));
    domain.name = name;
}

void Registry::set_guest(Domain& domain, std::shared_ptr<Guest> guest) {
    ids_.emplace(guest->id, by_uuid(domain.uuid));
    domain.guest = std::move(guest);
}

void Registry::clear_guest(Domain& domain) noexcept {
    ids_.erase(domain.guest->id);
    domain.guest.reset();
}

} // namespace vireo::qemu
