// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/domain_metadata.hpp"

#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu::actions {

namespace {

// virDomainModificationImpact
constexpr std::uint32_t live_flag = 1;
constexpr std::uint32_t config_flag = 2;

struct Impact {
    bool live;
    bool config;
};

Impact impact_of(const Domain& domain, std::uint32_t flags) {
    if ((flags & ~(live_flag | config_flag)) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}) of metadata: there are LIVE (1) and CONFIG (2)",
                    flags & ~(live_flag | config_flag));
    }
    if (flags == 0) {
        return domain.active() ? Impact{true, false} : Impact{false, true};
    }
    const Impact impact{(flags & live_flag) != 0, (flags & config_flag) != 0};
    if (impact.live && !domain.active()) {
        throw Error(ErrorCode::operation_invalid, "domain is not running");
    }
    if (impact.config && !domain.persistent) {
        throw Error(ErrorCode::operation_invalid,
                    "transient domains do not have any persistent config");
    }
    return impact;
}

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
    const Impact impact = impact_of(domain, flags);
    if (impact.live && impact.config) {
        throw Error(ErrorCode::invalid_arg,
                    "flags LIVE (1) and CONFIG (2) exclude each other where metadata is read");
    }
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
