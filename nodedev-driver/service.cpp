// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/service.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/bus/connect_interface.hpp"
#include "nodedev-driver/bus/node_device_interface.hpp"
#include "nodedev-driver/bus/paths.hpp"

#include <cstdlib>

namespace vireo::nodedev {

namespace {

/// Tests put the /sys and /run of a host that does not exist into a folder of their own.
std::string host_tree() {
    const char* folder = ::secure_getenv("VIREO_HOST_TREE");
    return folder == nullptr ? "" : folder;
}

std::vector<NodeDevice> scan(const ProbeSources& sources) {
    std::vector<NodeDevice> found;
    found.push_back(probe_computer(sources));
    for (const std::string& path : device_paths(sources)) {
        if (auto device = probe_device(sources, path)) {
            found.push_back(std::move(*device));
        }
    }
    return found;
}

} // namespace

NodedevService::NodedevService(Context& context)
    : context_(context), sources_{.sysfs = Sysfs(host_tree()), .names = system_hardware_names()} {
    // Listening comes first, so that nothing is missed in between.
    watch();
    registry_.assign(scan(sources_));
    log::info("{} devices on this host", registry_.devices().size());
    serve();
}

void NodedevService::serve() {
    context_.objects.add_object(connect_path,
                                connect_interface,
                                connect_vtable,
                                std::make_shared<ConnectInterface>(registry_));
    context_.objects.add_collection<NodeDeviceInterface>(
        device_prefix,
        node_device_interface,
        node_device_vtable,
        [this](std::string_view path) {
            return std::make_shared<NodeDeviceInterface>(sources_,
                                                         registry_.get(device_name_at(path)));
        },
        [this] {
            std::vector<std::string> paths;
            for (const auto& [name, device] : registry_.devices()) {
                paths.push_back(device_path(name));
            }
            return paths;
        });
}

void NodedevService::watch() {
    if (!sources_.sysfs.is_host()) {
        return;
    }
    try {
        monitor_ = std::make_unique<DeviceMonitor>(
            context_.loop,
            DeviceMonitor::Listener{
                .changed =
                    [this](const std::string& path, bool gone) {
                        emit(registry_.update(path,
                                              gone ? std::nullopt : probe_device(sources_, path)));
                    },
                .lost = [this] { rescan(); }});
    } catch (const Error& error) {
        log::warning("devices that come and go are not noticed: {}", error.what());
    }
}

void NodedevService::rescan() {
    emit(registry_.assign(scan(sources_)));
}

void NodedevService::emit(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        log::info("device '{}' {}", change.name, word(change.kind));
        context_.objects.emit(connect_path,
                              connect_interface,
                              "NodeDeviceEvent",
                              bus::ObjectPath(device_path(change.name)),
                              static_cast<int32_t>(change.kind),
                              int32_t{0});
    }
}

} // namespace vireo::nodedev
