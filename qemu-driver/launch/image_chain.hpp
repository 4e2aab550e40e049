// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>

/// What the images of a guest's disks are based on, found out before QEMU sees them.
namespace vireo::qemu {

/// Completes each disk's chain with what the images' own headers say, so that the document of the
/// running guest shows it and QEMU opens nothing that was not looked at. An image is read in the
/// format that is said of it and never guessed: raw ones are not looked into. What the document
/// says of a chain is kept; one that it does not end is followed from its last image on.
///
/// Removes disks, and media of drives, that are not there where their startup policy is optional.
/// Throws operation_failed naming disk and image where a file is missing or its header is no good,
/// operation_timeout where an image does not answer (a dead server). All disks are looked at at
/// once.
Task<void> follow_image_chains(Loop& loop, std::shared_ptr<DomainDef> def);

/// Puts what `qemu-img info --backing-chain` said of `image` below it. Throws operation_failed
/// where an image was recorded without its format and cannot be trusted without it.
void adopt_chain(DiskImage& image, const nlohmann::json& infos);

} // namespace vireo::qemu
