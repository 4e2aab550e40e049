// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/attach_monitor.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/actions/guest_events.hpp"
#include "qemu-driver/actions/stop_guest.hpp"
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/qmp/monitor_socket.hpp"

#include <map>

namespace vireo::qemu::actions {

using nlohmann::json;

void attach_monitor(Driver& driver, const DomainPtr& domain, const std::string& path) {
    Fd socket = qmp::connect_to_monitor(path);
    if (!socket) {
        throw Error(ErrorCode::operation_failed, "nobody listens at QEMU's monitor '{}'", path);
    }
    const std::weak_ptr<Domain> weak_domain = domain;
    const std::weak_ptr<Guest> weak_guest = domain->guest;
    domain->guest->monitor = std::make_unique<qmp::Client>(
        driver.ctx.loop,
        std::move(socket),
        [&driver, weak_domain, weak_guest](const qmp::Client::Event& event) {
            const DomainPtr owner = weak_domain.lock();
            if (owner && owner->guest == weak_guest.lock()) {
                handle_guest_event(driver, owner, event);
            }
        },
        [weak_guest] {
            if (const auto guest = weak_guest.lock()) {
                guest->monitor_closed.resolve(true);
            }
        },
        fmt::format("QEMU of '{}'", domain->name));
}

void adopt_chardevs(DomainDef& live, const json& chardevs) {
    std::map<std::string, json> by_label;
    for (const json& chardev : chardevs) {
        by_label.emplace(chardev.at("label").get<std::string>(), chardev);
    }
    const auto adopt = [&](ChardevSource& source, const DeviceInfo& info) {
        auto* pty = std::get_if<PtyChardev>(&source.backend);
        const auto found = by_label.find("char" + info.alias.value_or(""));
        if (pty == nullptr || found == by_label.end()) {
            return;
        }
        const std::string filename = found->second.value("filename", "");
        if (filename.starts_with("pty:")) {
            pty->path = filename.substr(4);
        }
    };
    for (auto& serial : live.devices.serials) {
        adopt(serial.source, serial.info);
    }
    for (auto& parallel : live.devices.parallels) {
        adopt(parallel.source, parallel.info);
    }
    for (auto& channel : live.devices.channels) {
        adopt(channel.source, channel.info);
    }
    for (auto& console : live.devices.consoles) {
        adopt(console.source, console.info);
    }
    // The first console is the first serial port seen from another side.
    if (!live.devices.consoles.empty() && !live.devices.serials.empty() &&
        live.devices.consoles.front().target_type == ConsoleTargetType::serial) {
        live.devices.consoles.front().source = live.devices.serials.front().source;
    }
}

void watch_autodestroy(Driver& driver, const DomainPtr& domain, const bus::Caller& caller) {
    const std::weak_ptr<Guest> weak = domain->guest;
    domain->guest->autodestroy_client = caller.name.empty() ? direct_client : caller.name;
    domain->guest->autodestroy = driver.ctx.clients.watch(caller, [weak, name = domain->name] {
        if (const auto guest = weak.lock()) {
            log::info("domain '{}': the client that it was to end with has left", name);
            guest->destroy_wanted = true;
            end_guest(*guest);
        }
    });
}

} // namespace vireo::qemu::actions
