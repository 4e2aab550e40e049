// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/documents.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/capabilities/probe.hpp"
#include "qemu-driver/devices/select_firmware.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <systemd/sd-id128.h>

namespace vireo::qemu {

namespace {

constexpr const char* emulator_path = "/usr/bin/qemu-system-x86_64";

/// Most guests have their machine's own firmware: nothing is looked for on the host then.
bool wants_firmware(const DomainDef& def) {
    return def.os.firmware || (def.os.loader && def.os.loader->type == LoaderType::pflash);
}

} // namespace

std::string default_emulator() {
    return emulator_path;
}

Task<ResolvedDomain> resolve(Host& host, DomainDef def, PassOptions options) {
    std::string emulator = def.devices.emulator.value_or(default_emulator());
    auto capabilities = co_await host.capabilities.get(std::move(emulator));
    require_supported(*capabilities);
    const HostFacts facts = host_facts(host, capabilities);
    complete_domain(def, facts, options);
    if (wants_firmware(def)) {
        select_firmware(def, host.firmware.all(), *capabilities, facts.nvram_dir);
    }
    co_return ResolvedDomain(std::move(def), std::move(capabilities));
}

Task<ResolvedDomain> read_definition(Host& host, std::string xml, Unknowns unknowns) {
    xml::Problems passed_over;
    DomainDef def = parse_domain(xml, false, &passed_over);
    if (unknowns == Unknowns::refused) {
        passed_over.raise();
    } else if (!passed_over.empty()) {
        log::warning(
            "domain '{}': passed over what is not known: {}", def.name, passed_over.text());
    }
    PassOptions options;
    options.new_definition = true;
    return resolve(host, std::move(def), options);
}

Task<ResolvedDomain> resolve_stored(Driver& driver, DomainPtr domain) {
    return resolve(driver, stored_definition(driver, *domain), PassOptions());
}

DomainDef stored_definition(const Driver& driver, const Domain& domain) {
    try {
        return parse_domain(driver.definitions.read(domain.uuid));
    } catch (Error& e) {
        throw e.within(fmt::format("definition of domain '{}'", domain.name));
    }
}

std::shared_ptr<const DomainSummary> stored_summary(Driver& driver, Domain& domain) {
    if (!domain.summary) {
        auto summary =
            std::make_shared<const DomainSummary>(summary_of(stored_definition(driver, domain)));
        domain.summary = std::move(summary);
        driver.definitions_changed(); // the index is to have it from now on
    }
    return domain.summary;
}

Task<void>
store_definition(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def) {
    auto summary = std::make_shared<const DomainSummary>(summary_of(*def));
    std::string document = definition_text(*def);
    auto saving = driver.definitions.save(domain->uuid, def->name, std::move(document));
    domain->definition = co_await std::move(saving);
    domain->summary = std::move(summary);
    driver.definitions_changed();
}

DomainDef live_definition(DomainDef def, std::uint32_t id) {
    def.id = id;
    align_memory(def);
    assign_aliases(def);
    return def;
}

std::string definition_text(const DomainDef& def) {
    return format_domain(def, DomainView{.active = false, .secure = true});
}

std::string live_text(const DomainDef& def) {
    return format_domain(def, DomainView{.active = true, .secure = true});
}

DomainDef parse_live(const std::string& text) {
    return parse_domain(text, true);
}

std::string canonical_uuid(std::string_view text) {
    sd_id128_t id{};
    if (sd_id128_from_string(std::string(text).c_str(), &id) < 0) {
        throw Error(ErrorCode::invalid_arg, "'{}' is not a UUID", text);
    }
    char canonical[SD_ID128_UUID_STRING_MAX];
    return sd_id128_to_uuid_string(id, canonical);
}

bool has_balloon(const DomainDef& def) {
    return def.devices.memballoon && def.devices.memballoon->model != MemballoonModel::none;
}

std::string describe(const DomainDef& def, const DescribeFlags& flags) {
    return format_domain(def,
                         DomainView{.active = !flags.inactive,
                                    .secure = flags.secure,
                                    .migratable = flags.migratable});
}

} // namespace vireo::qemu
