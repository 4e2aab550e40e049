// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/preview_domain.hpp"

#include "qemu-driver/devices/host_setup.hpp"
#include "qemu-driver/devices/plan_secret.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_cpu_of_host.hpp"
#include "qemu-driver/launch/launch_facts.hpp"
#include "qemu-driver/launch/place_graphics.hpp"
#include "qemu-driver/launch/scsi_devices.hpp"
#include "qemu-driver/launch/usb_devices.hpp"
#include "qemu-driver/launch/vsock.hpp"
#include "qemu-driver/pool_volumes.hpp"

namespace vireo::qemu::actions {

Task<std::vector<std::string>> preview_arguments(Host& host, ComingGuest coming, std::string xml) {
    ResolvedDomain resolved = co_await read_definition(host, std::move(xml));
    DomainDef started = live_definition(std::move(resolved.def), coming.id);
    const auto live = std::make_shared<DomainDef>(std::move(started));
    co_await resolve_guest_cpu(host, live, resolved.capabilities);
    find_usb_devices(*live, Sysfs(host_tree()));
    co_await find_volumes(host, live);
    assign_node_numbers(*live);
    place_graphics(*live, std::move(coming.ports), coming.folder);
    choose_vsock_cid(*live, [](uint32_t) { return true; });
    refuse_missing_host_setup(*live);
    LaunchFacts facts =
        launch_facts_of(host.options.directories, std::move(coming.folder), coming.id, *live);
    facts.scsi_nodes = find_scsi_devices(*live, Sysfs(host_tree()), 0);
    facts.secrets = blank_secrets(); // they are not for everybody's eyes
    co_return command_line(*live, *resolved.capabilities, facts);
}

Task<std::string> preview_definition(Host& host, std::string xml) {
    const ResolvedDomain resolved = co_await read_definition(host, std::move(xml));
    co_return definition_text(resolved.def);
}

} // namespace vireo::qemu::actions
