// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/devices/plan.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <memory>
#include <string>

/// Images of a running guest's disks: where they stand in a chain, their nodes in QEMU, and how one
/// is made.
namespace vireo::qemu::actions {

/// The disk with this target, or whose source this is. Throws invalid_arg where there is none.
const DiskDef& disk_named(const DomainDef& def, const std::string& name);
DiskDef& disk_named(DomainDef& def, const std::string& name);

/// What stands beside `<source>` (how to log in, how to decrypt) belongs to the image that the
/// guest sees: it goes into that before another takes its place.
void keep_secrets_with_image(DiskDef& disk);

/// The image of the chain that a client means: `vda[3]` by its number, or by its path; null where
/// the chain has none.
const DiskImage* image_named(const DiskDef& disk, const std::string& name);
/// The image with this number; null where there is none. Images of the mirror are not looked at.
DiskImage* image_numbered(DiskDef& disk, std::uint32_t number);
const DiskImage* image_numbered(const DiskDef& disk, std::uint32_t number);

/// How an image is called in another one's header: its path, or `nvme://0000:01:00.0/1`. Source:
/// QEMU, block/nvme.c. Empty where only QEMU's own description would do.
std::string header_name(const DiskImage& image);

/// The nodes of one image as an image of `disk`, which has `def`; nothing is below them.
Plan image_plan(const Driver& driver,
                const Guest& guest,
                const QemuCapabilities& capabilities,
                const DiskDef& disk,
                const DiskImage& image,
                bool read_only);

/// Takes back the nodes of all images from `top` down to, and without, the one with the number
/// `until` (0: to the end). What is not there any more is no error.
Task<void> remove_nodes(Driver& driver,
                        DomainPtr domain,
                        std::shared_ptr<Guest> guest,
                        DiskImage top,
                        std::uint32_t until);

/// Takes back every node that the daemon has given a name and that no image of the live document
/// has: what a daemon that was killed left behind.
Task<void> remove_orphans(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest);

/// Bytes that the guest sees of the disk. Asks QEMU.
Task<std::uint64_t> disk_bytes(Driver& driver, std::shared_ptr<Guest> guest, std::string node);

/// Makes an image file with `qemu-img create`, of `bytes`; based on `backing` (a header_name) of
/// the format `backing_format`, where that is not empty, which is not opened. Throws
/// operation_failed with qemu-img's words; a file that exists is not touched.
Task<void> create_image(Driver& driver,
                        DiskImage image,
                        std::uint64_t bytes,
                        std::string backing,
                        std::string backing_format);

} // namespace vireo::qemu::actions
