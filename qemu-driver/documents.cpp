// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/documents.hpp"

#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/validate.hpp"

#include <systemd/sd-id128.h>

namespace vireo::qemu {

namespace {

constexpr const char* emulator_path = "/usr/bin/qemu-system-x86_64";

std::string emulator_of(const DomainDef& def) {
    return def.devices.emulator.value_or(default_emulator());
}

} // namespace

std::string default_emulator() {
    return emulator_path;
}

Task<ResolvedDomain> read_definition(Driver& driver, std::string xml) {
    DomainDef def = parse_domain(xml);
    std::string emulator = emulator_of(def);
    auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    PassOptions options;
    options.new_definition = true;
    complete_domain(def, host_facts(driver, capabilities), options);
    co_return ResolvedDomain(std::move(def), std::move(capabilities));
}

Task<ResolvedDomain> resolve_stored(Driver& driver, DomainPtr domain) {
    DomainDef def = stored_definition(driver, *domain);
    std::string emulator = emulator_of(def);
    auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    validate(def, host_facts(driver, capabilities));
    co_return ResolvedDomain(std::move(def), std::move(capabilities));
}

DomainDef stored_definition(const Driver& driver, const Domain& domain) {
    try {
        return parse_domain(driver.definitions.read(domain.uuid));
    } catch (Error& e) {
        throw e.within(fmt::format("definition of domain '{}'", domain.name));
    }
}

DomainDef live_definition(DomainDef def, std::uint32_t id) {
    def.id = id;
    assign_aliases(def);
    assign_node_numbers(def);
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
