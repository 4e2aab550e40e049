// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/define_domain.hpp"

#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/tpm_state.hpp"
#include "qemu-driver/documents.hpp"

#include <unistd.h>

namespace vireo::qemu::actions {

namespace {

// virDomainUndefineFlagsValues
constexpr std::uint32_t managed_save_flag = 1;
constexpr std::uint32_t snapshots_metadata_flag = 2;
constexpr std::uint32_t nvram_flag = 4;
constexpr std::uint32_t keep_nvram_flag = 8;
constexpr std::uint32_t checkpoints_metadata_flag = 16;
constexpr std::uint32_t tpm_flag = 32;
constexpr std::uint32_t keep_tpm_flag = 64;

/// A domain that is being defined for the first time is registered before its document is on disk,
/// so that no second one takes its name meanwhile; it is taken back unless released.
class NewDomain {
  public:
    NewDomain(Driver& driver, DomainPtr domain) : driver_(driver), domain_(std::move(domain)) {
        driver_.registry.add(domain_);
    }

    NewDomain(const NewDomain&) = delete;
    NewDomain& operator=(const NewDomain&) = delete;

    ~NewDomain() {
        if (domain_) {
            driver_.registry.remove(*domain_);
        }
    }

    void release() { domain_.reset(); }

  private:
    Driver& driver_;
    DomainPtr domain_;
};

void require_same_name(const Domain& domain, const DomainDef& def) {
    if (domain.name != def.name) {
        throw Error(ErrorCode::operation_failed,
                    "domain '{}' is already defined with uuid {}",
                    domain.name,
                    domain.uuid);
    }
}

Task<void> define_new(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def) {
    const auto turn = co_await domain->changes.turn();
    NewDomain registered(driver, domain);
    co_await store_definition(driver, domain, std::move(def));
    registered.release();
    domain->persistent = true;
    driver.events.added(*domain);
    driver.events.lifecycle(*domain, lifecycle::defined_added);
}

Task<void> define_again(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def) {
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    co_await store_definition(driver, domain, std::move(def));
    const bool was_persistent = std::exchange(domain->persistent, true);
    if (domain->active()) {
        domain->updated = true;
        save_status(driver, *domain);
    }
    if (!was_persistent) {
        driver.events.changed(*domain, {"Persistent"});
    }
    driver.events.lifecycle(*domain,
                            was_persistent ? lifecycle::defined_updated : lifecycle::defined_added);
}

} // namespace

Task<DomainPtr> define_domain(Driver& driver, std::string xml) {
    ResolvedDomain resolved = co_await read_definition(driver, std::move(xml));
    const auto def = std::make_shared<const DomainDef>(std::move(resolved.def));
    DomainPtr domain = driver.registry.find_uuid(*def->uuid);
    if (domain) {
        require_same_name(*domain, *def);
        co_await define_again(driver, domain, def);
    } else {
        domain = std::make_shared<Domain>(driver.ctx.loop, *def->uuid, def->name);
        co_await define_new(driver, domain, def);
    }
    log::info("domain '{}' is defined with uuid {}", domain->name, domain->uuid);
    co_return domain;
}

Task<void> undefine_domain(Driver& driver, DomainPtr domain, std::uint32_t flags) {
    constexpr std::uint32_t known = managed_save_flag | snapshots_metadata_flag | nvram_flag |
                                    keep_nvram_flag | checkpoints_metadata_flag | tpm_flag |
                                    keep_tpm_flag;
    if ((flags & ~known) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}) to undefine a domain",
                    flags & ~known);
    }
    if ((flags & nvram_flag) != 0 && (flags & keep_nvram_flag) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "flags NVRAM (4) and KEEP_NVRAM (8) exclude each other");
    }
    if ((flags & tpm_flag) != 0 && (flags & keep_tpm_flag) != 0) {
        throw Error(ErrorCode::invalid_arg, "flags TPM (32) and KEEP_TPM (64) exclude each other");
    }
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    if (!domain->persistent) {
        throw Error(ErrorCode::operation_invalid, "cannot undefine transient domain");
    }
    const std::string nvram = stored_summary(driver, *domain)->nvram;
    const bool has_nvram = !nvram.empty() && ::access(nvram.c_str(), F_OK) == 0;
    if (has_nvram && (flags & (nvram_flag | keep_nvram_flag)) == 0) {
        throw Error(
            ErrorCode::operation_invalid,
            "cannot undefine domain with nvram '{}': say NVRAM (4) to delete it or KEEP_NVRAM (8)",
            nvram);
    }
    if (has_nvram && (flags & nvram_flag) != 0) {
        if (domain->active()) {
            throw Error(
                ErrorCode::operation_invalid, "nvram '{}' is in use: the domain is running", nvram);
        }
        co_await delete_file(driver.ctx.loop, nvram);
    }
    const std::size_t snapshots = driver.snapshots.of(domain->uuid).size();
    if (snapshots != 0 && (flags & snapshots_metadata_flag) == 0) {
        throw Error(
            ErrorCode::operation_invalid,
            "cannot delete inactive domain with {} snapshots: say SNAPSHOTS_METADATA (2) to "
            "forget them",
            snapshots);
    }
    if (snapshots != 0) {
        co_await driver.snapshots.remove_all(domain->uuid);
    }
    std::string tpm = domain->active() ? std::string() : tpm_state(driver, *domain);
    const bool keeps = (flags & tpm_flag) == 0 &&
                       ((flags & keep_tpm_flag) != 0 ||
                        (!tpm.empty() && keeps_tpm_state(stored_definition(driver, *domain))));
    co_await driver.definitions.remove(domain->uuid);
    driver.definitions_changed();
    if (!tpm.empty() && !keeps) {
        co_await remove_tpm_state(driver, std::move(tpm));
    }
    domain->persistent = false;
    domain->autostart = false;
    log::info("domain '{}' is undefined", domain->name);
    driver.events.lifecycle(*domain, lifecycle::undefined_removed);
    if (domain->active()) {
        save_status(driver, *domain);
        driver.events.changed(*domain, {"Persistent", "Autostart"});
    } else {
        driver.events.removed(*domain);
        driver.registry.remove(*domain);
    }
}

Task<void> rename_domain(Driver& driver, DomainPtr domain, std::string name, std::uint32_t flags) {
    if (flags != 0) {
        throw Error(ErrorCode::invalid_arg, "unsupported flags ({:#x}) to rename a domain", flags);
    }
    if (name.empty() || name.find_first_of("/\n") != std::string::npos) {
        throw Error(ErrorCode::xml_error, "name '{}' is empty or holds '/' or a line break", name);
    }
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    if (domain->active()) {
        throw Error(ErrorCode::operation_invalid, "cannot rename active domain");
    }
    if (!domain->persistent) {
        throw Error(ErrorCode::operation_invalid, "cannot rename a transient domain");
    }
    if (name == domain->name) {
        co_return;
    }
    auto def = std::make_shared<DomainDef>(stored_definition(driver, *domain));
    def->name = name;
    const std::string former = domain->name;
    driver.registry.rename(*domain, name); // taken before the wait: no other gets it meanwhile
    std::exception_ptr failure;
    try {
        co_await store_definition(driver, domain, std::move(def));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        driver.registry.rename(*domain, former);
        std::rethrow_exception(failure);
    }
    log::info("domain '{}' is now '{}'", former, name);
    driver.events.changed(*domain, {"Name"});
    driver.events.lifecycle(*domain, lifecycle::undefined_renamed);
    driver.events.lifecycle(*domain, lifecycle::defined_renamed);
}

Task<void> set_autostart(Driver& driver, DomainPtr domain, bool autostart) {
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    if (!domain->persistent) {
        throw Error(ErrorCode::operation_invalid, "cannot set autostart for transient domain");
    }
    if (domain->autostart == autostart) {
        co_return;
    }
    co_await driver.definitions.set_autostart(domain->uuid, autostart);
    domain->autostart = autostart;
    driver.events.changed(*domain, {"Autostart"});
}

} // namespace vireo::qemu::actions
