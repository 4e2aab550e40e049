// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/domain_metadata.hpp"

#include "qemu-driver/actions/impact.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu::actions {

namespace {

std::shared_ptr<const DomainDef> edited(const DomainDef& def, const MetadataEdit& edit) {
    auto copy = std::make_shared<DomainDef>(def);
    edit_metadata(*copy, edit);
    return copy;
}

} // namespace

std::string get_metadata(const Driver& driver,
                         const Domain& domain,
                         MetadataType type,
                         const std::string& uri,
                         std::uint32_t flags) {
    const Impact impact = read_impact_of(domain, flags);
    return impact.live ? metadata_of(*domain.guest->live, type, uri)
                       : metadata_of(stored_definition(driver, domain), type, uri);
}

Task<void> set_metadata(Driver& driver, DomainPtr domain, MetadataEdit edit, std::uint32_t flags) {
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const Impact impact = impact_of(*domain, flags);
    if (impact.live) {
        edited(*domain->guest->live, edit); // refuses before anything is written
    }
    if (impact.config) {
        const auto stored = edited(stored_definition(driver, *domain), edit);
        co_await store_definition(driver, domain, stored);
    }
    if (impact.live && domain->active()) { // it may have ended meanwhile
        // The document may have changed while the definition was written: the edit is made again.
        domain->guest->live = edited(*domain->guest->live, edit);
        save_status(driver, *domain);
    }
    driver.events.device(*domain, "MetadataChange", static_cast<std::int32_t>(edit.type), edit.uri);
}

} // namespace vireo::qemu::actions
