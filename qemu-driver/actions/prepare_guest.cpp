// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/prepare_guest.hpp"

#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_cpu_of_host.hpp"
#include "qemu-driver/launch/image_chain.hpp"
#include "qemu-driver/launch/place_graphics.hpp"
#include "qemu-driver/launch/usb_devices.hpp"
#include "qemu-driver/launch/vsock.hpp"
#include "qemu-driver/pool_volumes.hpp"

namespace vireo::qemu::actions {

std::set<std::int32_t> taken_ports(const Driver& driver) {
    std::set<std::int32_t> taken;
    for (const auto& [id, other] : driver.registry.by_ids()) {
        taken.merge(graphics_ports(*other->guest->live));
    }
    return taken;
}

Task<void> prepare_guest(Driver& driver,
                         std::shared_ptr<Guest> guest,
                         std::shared_ptr<const QemuCapabilities> capabilities) {
    auto live = std::make_shared<DomainDef>(*guest->live);
    co_await resolve_guest_cpu(driver, live, std::move(capabilities));
    find_usb_devices(*live, driver.host);
    co_await find_volumes(driver, live);
    co_await follow_image_chains(driver.ctx.loop, live);
    assign_node_numbers(*live);
    place_graphics(*live, taken_ports(driver), driver.statuses.folder_of(guest->id));
    choose_vsock_cid(*live, kernel_has_free_cid);
    guest->live = std::move(live);
}

} // namespace vireo::qemu::actions
