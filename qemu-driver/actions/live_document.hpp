// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/devices/plan.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/guest_devices.hpp"

#include <cstdint>
#include <functional>
#include <memory>

/// What the actions on a running guest's devices ask and change again and again.
namespace vireo::qemu::actions {

/// Throws operation_failed where the guest has ended while somebody waited.
void require_running(const Domain& domain, const std::shared_ptr<Guest>& guest);

/// What the guest's QEMU can do.
Task<std::shared_ptr<const QemuCapabilities>> capabilities_of(Driver& driver,
                                                              std::shared_ptr<Guest> guest);

/// The commands that make `device`, one of `def`, in the running guest. `secrets`: what
/// fetch_secrets() gave, or blank_secrets() where the commands are taken back.
Plan hot_plan(const Driver& driver,
              const Guest& guest,
              const DomainDef& def,
              const QemuCapabilities& capabilities,
              const Device& device,
              SecretFacts secrets);

/// Throws operation_unsupported for what is given to a guest when it starts, and taken when it
/// ends.
void require_hot_pluggable(const Device& device);

/// Throws operation_unsupported where a step can only be made by a command line, which alone passes
/// descriptors.
void require_hot_steps(const Plan& plan, const Device& device);

/// Changes the live document as a whole and writes the status.
void change_live(Driver& driver,
                 const DomainPtr& domain,
                 const std::function<void(DomainDef& live)>& change);

/// While a change is on its way into QEMU the status has it already: a daemon that is killed
/// meanwhile leaves something behind that its successor knows, and asks QEMU about.
class Intention {
  public:
    Intention(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def);
    Intention(const Intention&) = delete;
    Intention& operator=(const Intention&) = delete;
    ~Intention();

  private:
    Driver& driver_;
    DomainPtr domain_;
    std::shared_ptr<Guest> guest_;
};

/// The number of the last block node that this guest was given: none is given twice.
std::uint32_t last_node_number(const Guest& guest);

} // namespace vireo::qemu::actions
