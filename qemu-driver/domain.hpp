// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/queue.hpp"
#include "libshared/bus/types.hpp"
#include "qemu-driver/domain_summary.hpp"
#include "qemu-driver/guest.hpp"
#include "qemu-driver/state.hpp"
#include "qemu-driver/store/index.hpp"

#include <memory>
#include <string>

namespace vireo::qemu {

/// A domain as the daemon knows it. A stopped one is its name, its state and the summary of its
/// definition: its document stays on disk. Reads look at it at any time; changes go through
/// `changes`, one after the other.
struct Domain {
    Domain(Loop& loop, std::string uuid_, std::string name_);

    Domain(const Domain&) = delete;
    Domain& operator=(const Domain&) = delete;

    const std::string uuid;
    /// `/org/libvirt/QEMU/domain/_UUID`, hyphens as underscores.
    const bus::ObjectPath path;
    std::string name;
    bool persistent = false;
    /// Of a persistent domain: which file describes it, and what that says. The summary is null
    /// until somebody asks for it where the index did not have it.
    FileMark definition;
    std::shared_ptr<const DomainSummary> summary;
    bool autostart = false;
    /// The stored definition is another than the one that the guest was started with.
    bool updated = false;
    StateReason state = reason::shutoff_unknown;
    std::shared_ptr<Guest> guest; // where it is active
    ChangeQueue changes;

    bool active() const noexcept { return guest != nullptr; }
};

using DomainPtr = std::shared_ptr<Domain>;

/// `/org/vireo/domain/_UUID`.
std::string native_path(const Domain& domain);
/// The UUID that such a path ends in; empty where it is none.
std::string uuid_of_path(std::string_view path);

} // namespace vireo::qemu
