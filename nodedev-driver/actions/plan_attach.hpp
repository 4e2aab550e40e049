// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "nodedev-driver/driver.hpp"
#include "nodedev-driver/model/attachment.hpp"

#include <string>
#include <vector>

namespace vireo::nodedev::actions {

/// What PlanAttach is asked for.
struct AttachQuestion {
    AttachQuestion(std::vector<AttachWish> wanted, std::string name)
        : wishes(std::move(wanted)), target(std::move(name)) {}

    std::vector<AttachWish> wishes;
    /// `vda`
    std::string target;
};

/// The ways to give the device `name` (a namespace, a controller, or the PCI function of one) to a
/// guest, best first, and what stands in their way now. Looks at all processes and asks the host's
/// QEMU for its drivers, beside the loop. Throws no_node_device where `name` is none at or below
/// the device `above`, operation_invalid where it has nothing to do with NVMe.
Task<std::vector<Attachment>>
plan_attach(Driver& driver, std::string above, std::string name, AttachQuestion question);

} // namespace vireo::nodedev::actions
