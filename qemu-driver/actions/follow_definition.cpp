// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/follow_definition.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/block_nodes.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/domain_summary.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

/// Every image below is a file or device of this host, so that a start can follow the headers.
bool headers_tell(const DiskImage& top) {
    for (const DiskImage* image = top.base(); image != nullptr; image = image->base()) {
        if (!local_path(*image)) {
            return false;
        }
    }
    return true;
}

} // namespace

Task<void> follow_in_definition(Driver& driver, DomainPtr domain, DiskDef before, DiskDef now) {
    if (!domain->persistent) {
        co_return;
    }
    try {
        auto def = std::make_shared<DomainDef>(stored_definition(driver, *domain));
        auto& disks = def->devices.disks;
        const auto disk = std::ranges::find_if(disks, [&](const DiskDef& each) {
            return each.target.dev == now.target.dev &&
                   header_name(each.image) == header_name(before.image);
        });
        if (disk == disks.end()) {
            co_return;
        }
        disk->image = now.image;
        disk->outer_auth = now.outer_auth;
        disk->outer_encryption = now.outer_encryption;
        if (headers_tell(now.image)) {
            disk->image.backing.reset();
        }
        co_await store_definition(driver, domain, std::move(def));
    } catch (const Error& e) {
        log::error("domain '{}': its definition still has disk '{}' on image '{}', and its guest "
                   "is on '{}': {}",
                   domain->name,
                   now.target.dev,
                   header_name(before.image),
                   header_name(now.image),
                   e.what());
    }
}

} // namespace vireo::qemu::actions
