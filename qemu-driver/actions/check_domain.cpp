// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/check_domain.hpp"

#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/devices/host_setup.hpp"
#include "qemu-driver/devices/plan_secret.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_secrets.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/launch/image_chain.hpp"
#include "qemu-driver/launch/launch_facts.hpp"
#include "qemu-driver/launch/scsi_devices.hpp"
#include "qemu-driver/launch/usb_devices.hpp"
#include "qemu-driver/launch/vsock.hpp"
#include "qemu-driver/pool_volumes.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace vireo::qemu::actions {

namespace {

/// After all that run: their devices are theirs.
constexpr std::uint32_t last_of_all = std::numeric_limits<std::uint32_t>::max();

void add_refusal(std::vector<Obstacle>& found, const char* check, const Error& refusal) {
    Obstacle one;
    one.code = refusal.code();
    one.check = check;
    one.cause = refusal.what();
    found.push_back(std::move(one));
}

Task<void>
check_images(Driver& driver, std::shared_ptr<DomainDef> live, std::vector<Obstacle>& found) {
    try {
        co_await find_volumes(driver, live);
        co_await follow_image_chains(driver.ctx.loop, live);
    } catch (const Error& e) {
        add_refusal(found, "images", e);
    }
}

Task<void> check_host_devices(Driver& driver,
                              std::shared_ptr<const DomainDef> live,
                              std::vector<Obstacle>& found) {
    try {
        std::vector<HostFunction> functions = host_functions(*live);
        auto asking = find_obstacles(driver, live, std::move(functions), last_of_all);
        std::vector<Obstacle> obstacles = co_await std::move(asking);
        std::ranges::move(obstacles, std::back_inserter(found));
    } catch (const Error& e) {
        add_refusal(found, "node-devices", e);
    }
}

Task<void>
check_secrets(Driver& driver, std::shared_ptr<const DomainDef> live, std::vector<Obstacle>& found) {
    std::string nowhere; // nothing is sealed
    try {
        co_await fetch_secrets(driver, live, std::move(nowhere));
    } catch (const Error& e) {
        add_refusal(found, "secrets", e);
    }
}

void check_host_choices(const Driver& driver, DomainDef& live, std::vector<Obstacle>& found) {
    try {
        find_usb_devices(live, driver.host);
        choose_vsock_cid(live, kernel_has_free_cid);
    } catch (const Error& e) {
        add_refusal(found, "host-setup", e);
    }
}

void check_command_line(const Driver& driver,
                        const DomainDef& live,
                        const QemuCapabilities& capabilities,
                        std::vector<Obstacle>& found) {
    try {
        refuse_missing_host_setup(live);
    } catch (const Error& e) {
        add_refusal(found, "host-setup", e);
    }
    try {
        constexpr std::uint32_t nobody = 0;
        LaunchFacts facts = launch_facts_of(
            driver.options.directories, driver.statuses.folder_of(nobody), nobody, live);
        facts.secrets = blank_secrets();
        facts.scsi_nodes = find_scsi_devices(live, driver.host, 0);
        build_launch(live, capabilities, facts);
    } catch (const Error& e) {
        add_refusal(found, "command-line", e);
    }
}

} // namespace

Task<std::vector<Obstacle>> check_domain(Driver& driver, std::string xml) {
    std::vector<Obstacle> found;
    std::shared_ptr<DomainDef> live;
    std::shared_ptr<const QemuCapabilities> capabilities;
    try {
        ResolvedDomain resolved = co_await read_definition(driver, std::move(xml));
        live = std::make_shared<DomainDef>(live_definition(std::move(resolved.def), 0));
        capabilities = std::move(resolved.capabilities);
    } catch (const Error& e) {
        add_refusal(found, "document", e);
    }
    if (!live) {
        co_return std::move(found);
    }
    co_await check_host_devices(driver, live, found);
    co_await check_images(driver, live, found);
    co_await check_secrets(driver, live, found);
    check_host_choices(driver, *live, found);
    assign_node_numbers(*live);
    check_command_line(driver, *live, *capabilities, found);
    co_return std::move(found);
}

} // namespace vireo::qemu::actions
