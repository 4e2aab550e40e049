// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/settle_guest.hpp"

#include "qemu-driver/actions/attach_monitor.hpp"
#include "qemu-driver/devices/disk_throttle.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/model/memory_devices.hpp"

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

/// Objects whose threads have touched the guest's memory by the time that QEMU answers.
std::vector<std::string> thread_contexts(const std::vector<std::string>& argv) {
    std::vector<std::string> ids;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const json object =
            argv[i - 1] == "-object" ? json::parse(argv[i], nullptr, false) : json();
        if (object.is_object() && object.value("qom-type", "") == "thread-context") {
            ids.push_back(object.at("id").get<std::string>());
        }
    }
    return ids;
}

Task<void> settle_links(std::shared_ptr<Guest> guest) {
    const auto live = guest->live;
    for (const InterfaceDef& interface : live->devices.interfaces) {
        if (interface.link == LinkState::down) {
            json link;
            link["name"] = interface.info.alias.value();
            link["up"] = false;
            co_await guest->monitor->execute("set_link", std::move(link));
        }
    }
}

Task<void> settle_balloon(std::shared_ptr<Guest> guest) {
    const auto live = guest->live;
    if (!has_balloon(*live)) {
        co_return;
    }
    const std::uint64_t wanted_kib = initial_balloon_kib(*live);
    if (wanted_kib < fixed_memory_kib(*live)) {
        json target;
        target["value"] = wanted_kib * 1024;
        co_await guest->monitor->execute("balloon", std::move(target));
        guest->balloon_target_kib = wanted_kib;
    }
    const MemballoonDef& balloon = *live->devices.memballoon;
    if (balloon.stats_period_s.value_or(0) > 0) {
        json period;
        period["path"] = "/machine/peripheral/" + balloon.info.alias.value_or("");
        period["property"] = "guest-stats-polling-interval";
        period["value"] = *balloon.stats_period_s;
        co_await guest->monitor->execute("qom-set", std::move(period));
    }
}

Task<void> settle_throttles(std::shared_ptr<Guest> guest) {
    const auto live = guest->live;
    for (const DiskDef& disk : live->devices.disks) {
        std::optional<json> limits = throttle_arguments(disk);
        if (limits) {
            co_await guest->monitor->execute("block_set_io_throttle", std::move(*limits));
        }
    }
}

} // namespace

Task<void> settle_guest(std::shared_ptr<Guest> guest, std::vector<std::string> argv) {
    for (const std::string& id : thread_contexts(argv)) {
        json object;
        object["id"] = id;
        co_await guest->monitor->execute("object-del", std::move(object));
    }
    const json chardevs = co_await guest->monitor->execute("query-chardev");
    auto live = std::make_shared<DomainDef>(*guest->live);
    adopt_chardevs(*live, chardevs);
    guest->live = std::move(live);
    co_await settle_links(guest);
    co_await settle_balloon(guest);
    co_await settle_throttles(guest);
}

} // namespace vireo::qemu::actions
