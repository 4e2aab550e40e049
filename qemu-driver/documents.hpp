// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/assign_addresses.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <memory>
#include <string>

/// What happens to a document between a client and QEMU: read, completed, stored, made live, shown.
namespace vireo::qemu {

/// A definition together with what its QEMU can do.
struct ResolvedDomain {
    ResolvedDomain(DomainDef definition, std::shared_ptr<const QemuCapabilities> qemu)
        : def(std::move(definition)), capabilities(std::move(qemu)) {}

    DomainDef def;
    std::shared_ptr<const QemuCapabilities> capabilities;
};

/// Completes what a document says: defaults, addresses, checks. Probes the QEMU binary where it is
/// not known yet. Throws config_unsupported, naming element and line.
Task<ResolvedDomain> resolve(Host& host, DomainDef def, PassOptions options);

/// What becomes of elements and attributes that nobody describes.
enum class Unknowns { logged, refused };

/// Reads a client's document and completes it. Throws as resolve(), and xml_error.
Task<ResolvedDomain>
read_definition(Host& host, std::string xml, Unknowns unknowns = Unknowns::logged);

/// The same for the stored definition of a persistent domain: what it says stays as it is.
Task<ResolvedDomain> resolve_stored(Driver& driver, DomainPtr domain);
/// The definition alone.
DomainDef stored_definition(const Driver& driver, const Domain& domain);
/// What statistics say of it, without reading it but for the first time after the index was lost.
std::shared_ptr<const DomainSummary> stored_summary(Driver& driver, Domain& domain);
/// Stores `def` as the domain's definition: on disk when it returns. In the domain's turn.
Task<void> store_definition(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def);

/// The document of the guest that is to be started from `def`: its id, aliases, aligned memory.
DomainDef live_definition(DomainDef def, std::uint32_t id);

/// As it is stored: inactive, with its secrets.
std::string definition_text(const DomainDef& def);
/// The whole of a live document, with its secrets.
std::string live_text(const DomainDef& def);
/// Reads live_text() back.
DomainDef parse_live(const std::string& text);

/// The QEMU that is used where a document names none.
std::string default_emulator();
/// Lower case with hyphens; throws invalid_arg where it is no UUID.
std::string canonical_uuid(std::string_view text);

/// The guest has a balloon that QEMU can inflate.
bool has_balloon(const DomainDef& def);

/// virDomainXMLFlags
struct DescribeFlags {
    bool secure = false;
    bool inactive = false;
    bool migratable = false;
};

/// What GetXMLDesc shows.
std::string describe(const DomainDef& def, const DescribeFlags& flags);

} // namespace vireo::qemu
