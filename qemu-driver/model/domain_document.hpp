// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/problems.hpp"
#include "qemu-driver/model/assign_addresses.hpp"

#include <string>
#include <string_view>

/// A domain's document and its struct: the whole way from text to a checked definition, and back.
namespace vireo::qemu {

/// What a document shows of a guest.
struct DomainView {
    /// Of a running guest: id, aliases, what the host gave it. Otherwise a definition.
    bool active{};
    /// Passwords of graphics.
    bool secure{};
    /// For another host: without what it adds by itself.
    bool migratable{};
};

/// Reads a document. Throws xml_error that names every mistake with its line. Elements and
/// attributes that are not known are passed over, as libvirt does, and are put into `unknowns`.
/// What only a running guest has is dropped unless `active`. Nothing is completed.
DomainDef
parse_domain(std::string_view text, bool active = false, xml::Problems* unknowns = nullptr);

/// The passes in their order: defaults, validation, addresses. Aliases come when the guest starts
/// (`assign_aliases`).
void complete_domain(DomainDef& def, const HostFacts& facts, const PassOptions& options);

/// Writes a document, ending in a newline.
std::string format_domain(const DomainDef& def, const DomainView& view = {});

/// What `view` shows of it: the definition without passwords, aliases and the like.
DomainDef shown(DomainDef def, const DomainView& view);

} // namespace vireo::qemu
