// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/live_document.hpp"

#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/actions/start_domain.hpp"
#include "qemu-driver/devices/plan_device.hpp"
#include "qemu-driver/documents.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

void require_running(const Domain& domain, const std::shared_ptr<Guest>& guest) {
    if (domain.guest != guest) {
        throw Error(ErrorCode::operation_failed, "the guest has ended meanwhile");
    }
}

Task<std::shared_ptr<const QemuCapabilities>> capabilities_of(Driver& driver,
                                                              std::shared_ptr<Guest> guest) {
    std::string emulator = guest->live->devices.emulator.value_or(default_emulator());
    co_return co_await driver.capabilities.get(std::move(emulator));
}

namespace {

/// A QEMU that runs may not move threads to other CPUs, and those that started with it have done
/// their work.
Plan without_thread_contexts(Plan plan) {
    std::erase_if(plan, [](const Step& step) {
        return step.props.is_object() && step.props.value("qom-type", "") == "thread-context";
    });
    for (Step& step : plan) {
        if (step.props.is_object()) {
            step.props.erase("prealloc-context");
        }
    }
    return plan;
}

} // namespace

Plan hot_plan(const Driver& driver,
              const Guest& guest,
              const DomainDef& def,
              const QemuCapabilities& capabilities,
              const Device& device,
              SecretFacts secrets) {
    LaunchFacts facts = launch_facts(driver, guest);
    facts.secrets = std::move(secrets);
    DescriptorList descriptors(DescriptorList::Naming::names);
    const BootOrder boot; // places by class belong to the devices of the start
    Plan plan = without_thread_contexts(
        plan_device(PlanContext{def, capabilities, facts, descriptors, boot}, device));
    if (!descriptors.take().empty()) {
        plan.front().command = {}; // getfd has no counterpart here
    }
    return plan;
}

// A SCSI device of the host has a block node of its own number, which nothing keeps.
void require_hot_pluggable(const Device& device) {
    const auto* hostdev = std::get_if<HostdevDef>(&device);
    if (hostdev != nullptr && hostdev->type() == HostdevType::scsi) {
        throw Error(ErrorCode::operation_unsupported,
                    "{} is given to a guest when it starts, and taken when it ends; change the "
                    "definition alone (flag CONFIG, 2)",
                    words_of(device));
    }
}

void require_hot_steps(const Plan& plan, const Device& device) {
    for (const Step& step : plan) {
        if (step.command.empty()) {
            throw Error(ErrorCode::operation_unsupported,
                        "{} needs what a guest gets only when it starts ('{}'); attach it to the "
                        "definition alone (flag CONFIG, 2)",
                        words_of(device),
                        step.option);
        }
    }
}

void change_live(Driver& driver,
                 const DomainPtr& domain,
                 const std::function<void(DomainDef& live)>& change) {
    auto live = std::make_shared<DomainDef>(*domain->guest->live);
    change(*live);
    domain->guest->live = std::move(live);
    save_status(driver, *domain);
}

Intention::Intention(Driver& driver, DomainPtr domain, std::shared_ptr<const DomainDef> def)
    : driver_(driver), domain_(std::move(domain)), guest_(domain_->guest) {
    guest_->intended = std::move(def);
    save_status(driver_, *domain_);
}

Intention::~Intention() {
    guest_->intended.reset();
    if (domain_->guest == guest_) {
        save_status(driver_, *domain_);
    }
}

std::uint32_t last_node_number(const Guest& guest) {
    return std::max(guest.last_node, qemu::last_node_number(*guest.live));
}

} // namespace vireo::qemu::actions
