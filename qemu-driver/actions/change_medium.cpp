// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/change_medium.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "libshared/xml/parse.hpp"
#include "qemu-driver/actions/live_document.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/devices/plan_secret.hpp"
#include "qemu-driver/guest_secrets.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/launch/image_chain.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/guest_devices.hpp"

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto tray_limit = 10s;

/// `wanted` as it replaces `known`.
DiskDef merged(const DiskDef& known, DiskDef wanted) {
    if (std::holds_alternative<std::monostate>(wanted.info.address)) {
        wanted.info.address = known.info.address;
    }
    wanted.info.alias = known.info.alias;
    wanted.target.bus = known.target.bus;
    if (!wanted.info.boot) {
        wanted.info.boot = known.info.boot;
    }
    return wanted;
}

/// The disk after all passes, as one of the running guest.
DiskDef
completed(const DomainDef& live, std::size_t place, DiskDef wanted, const HostFacts& facts) {
    DomainDef trial = live;
    const std::string target = wanted.target.dev;
    trial.devices.disks[place] = std::move(wanted);
    PassOptions options;
    options.active = true;
    complete_domain(trial, facts, options);
    for (DiskDef& disk : trial.devices.disks) {
        if (disk.target.dev == target) {
            return std::move(disk);
        }
    }
    throw Error(ErrorCode::internal, "disk '{}' is lost", target);
}

/// All but the medium and the tray is as it is.
void require_other_medium_only(const DiskDef& known, const DiskDef& wanted) {
    const bool removable = known.device == DiskDevice::cdrom || known.device == DiskDevice::floppy;
    DiskDef compared = wanted;
    compared.image = known.image;
    compared.target.tray = known.target.tray;
    if (!removable || xml::format(compared) != xml::format(known)) {
        throw Error(ErrorCode::operation_unsupported,
                    "disk '{}': of a running guest's disk only the medium of a CD-ROM or floppy "
                    "drive can be changed; change the rest in the definition (flag CONFIG, 2), or "
                    "detach the disk and attach another",
                    known.target.dev);
    }
}

Plan image_plan(const Driver& driver,
                const Guest& guest,
                const QemuCapabilities& capabilities,
                const DiskDef& disk,
                SecretFacts secrets) {
    if (disk.image.is_empty()) {
        return {};
    }
    DomainDef def = *guest.live;
    Plan plan = hot_plan(driver, guest, def, capabilities, disk, std::move(secrets));
    std::erase_if(plan, [](const Step& step) { return step.command == "device_add"; });
    require_hot_steps(plan, disk);
    return plan;
}

json named(const std::string& alias) {
    json arguments;
    arguments["id"] = alias;
    return arguments;
}

Task<void> until_open(DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias) {
    while (!guest->open_trays.contains(alias)) {
        require_running(*domain, guest);
        co_await guest->devices_changed.next();
    }
}

/// A guest that has locked its tray is asked to eject, and opens it by itself.
Task<void> open_tray(
    Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias, bool force) {
    json arguments = named(alias);
    arguments["force"] = force;
    bool locked = false;
    try {
        co_await monitor_command(driver, guest, "blockdev-open-tray", std::move(arguments));
    } catch (const qmp::CommandError& e) {
        locked = e.description().find("is locked") != std::string::npos;
        if (!locked) {
            throw;
        }
    }
    if (!locked) {
        co_return;
    }
    auto opening = until_open(domain, guest, alias);
    bool late = false;
    try {
        co_await Deadline(driver.ctx.loop, std::move(opening), tray_limit, "the eject");
    } catch (const Error& e) {
        late = e.code() == ErrorCode::operation_timeout;
        if (!late) {
            throw;
        }
    }
    if (late) {
        throw Error(ErrorCode::operation_failed,
                    "the guest has locked the tray of '{}' and has not opened it within 10 s of "
                    "being asked; unmount the medium there, or open it by force (flag FORCE, 4)",
                    alias);
    }
}

/// Puts the medium whose top node is `node` into the open tray and closes that; empty: none.
Task<void>
insert(Driver& driver, std::shared_ptr<Guest> guest, std::string alias, std::string node) {
    if (!node.empty()) {
        json arguments = named(alias);
        arguments["node-name"] = node;
        co_await monitor_command(driver, guest, "blockdev-insert-medium", std::move(arguments));
    }
    json closing = named(alias);
    co_await monitor_command(driver, guest, "blockdev-close-tray", std::move(closing));
}

std::string top_node(const DiskDef& disk) {
    return disk.image.is_empty() ? std::string() : node_names(disk.image).format;
}

Task<void> swap_media(Driver& driver,
                      DomainPtr domain,
                      std::shared_ptr<Guest> guest,
                      DiskDef known,
                      DiskDef wanted,
                      bool force) {
    const std::string alias = known.info.alias.value_or("");
    co_await open_tray(driver, domain, guest, alias, force);
    json removing = named(alias);
    co_await monitor_command(driver, guest, "blockdev-remove-medium", std::move(removing));
    std::exception_ptr failure;
    try {
        co_await insert(driver, guest, alias, top_node(wanted));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        try {
            co_await insert(driver, guest, alias, top_node(known));
        } catch (const Error& e) {
            log::error("domain '{}': disk '{}' is without its medium: {}",
                       domain->name,
                       known.target.dev,
                       e.what());
        }
        std::rethrow_exception(failure);
    }
}

} // namespace

void replace_disk(DomainDef& def, const DiskDef& wanted) {
    DiskDef& known = def.devices.disks[find_device(def, wanted)];
    known = merged(known, wanted);
}

Task<void> change_medium(Driver& driver, DomainPtr domain, DiskDef wanted, bool force) {
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const auto capabilities = co_await capabilities_of(driver, guest);
    require_running(*domain, guest);
    const std::size_t place = find_device(*guest->live, wanted);
    const DiskDef known = guest->live->devices.disks[place];
    DiskDef changed = completed(
        *guest->live, place, merged(known, std::move(wanted)), host_facts(driver, capabilities));
    require_other_medium_only(known, changed);
    auto alone = std::make_shared<DomainDef>();
    alone->devices.disks.push_back(std::move(changed));
    co_await follow_image_chains(driver.ctx.loop, alone);
    guest->last_node = assign_node_numbers(*alone, last_node_number(*guest));
    std::string folder = driver.statuses.folder_of(guest->id);
    const SecretFacts secrets = co_await fetch_secrets(driver, alone, std::move(folder));
    require_running(*domain, guest);
    changed = std::move(alone->devices.disks.front());
    changed.target.tray.reset();
    Plan images = image_plan(driver, *guest, *capabilities, changed, secrets);
    co_await run_plan(driver, guest, images);
    std::exception_ptr failure;
    try {
        co_await swap_media(driver, domain, guest, known, changed, force);
        require_running(*domain, guest);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await undo_plan(driver, guest, std::move(images));
        std::rethrow_exception(failure);
    }
    change_live(driver, domain, [&](DomainDef& live) {
        live.devices.disks[find_device(live, changed)] = changed;
    });
    log::info("domain '{}': disk '{}' has {} medium",
              domain->name,
              changed.target.dev,
              changed.image.is_empty() ? "no" : "another");
    Plan former = image_plan(driver, *guest, *capabilities, known, blank_secrets());
    co_await undo_plan(driver, guest, std::move(former));
}

void take_tray(Driver& driver, const DomainPtr& domain, const json& data) {
    const std::string alias = data.at("id").get<std::string>();
    const bool open = data.at("tray-open").get<bool>();
    Guest& guest = *domain->guest;
    if (open) {
        guest.open_trays.insert(alias);
    } else {
        guest.open_trays.erase(alias);
    }
    change_live(driver, domain, [&](DomainDef& live) {
        for (DiskDef& disk : live.devices.disks) {
            if (disk.info.alias == alias) {
                disk.target.tray = open ? std::optional(Tray::open) : std::nullopt;
            }
        }
    });
    guest.devices_changed.notify();
    // virConnectDomainEventTrayChangeReason: open, close
    driver.events.device(*domain, "TrayChange", alias, std::int32_t{open ? 0 : 1});
}

} // namespace vireo::qemu::actions
