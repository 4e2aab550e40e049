// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/service.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "nodedev-driver/bus/connect_interface.hpp"
#include "nodedev-driver/bus/node_device_interface.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/probe/vital_product_data.hpp"

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
    : context_(context),
      sources_{.sysfs = Sysfs(host_tree()), .names = system_hardware_names(), .vpd = {}} {
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

void NodedevService::started() {
    std::vector<std::string> functions;
    for (const auto& [name, device] : registry_.devices()) {
        if (device->path && has_vital_product_data(sources_.sysfs, *device->path)) {
            functions.push_back(*device->path);
        }
    }
    if (!functions.empty()) {
        context_.tasks.spawn(read_vital_product_data(std::move(functions)), "vital product data");
    }
}

Task<void> NodedevService::read_vital_product_data(std::vector<std::string> functions) {
    std::function<VpdByPath()> call = [sysfs = sources_.sysfs, paths = std::move(functions)] {
        VpdByPath found;
        for (const std::string& path : paths) {
            if (auto vpd = read_vpd(sysfs, path)) {
                found.emplace(path, std::move(*vpd));
            }
        }
        return found;
    };
    auto found = co_await Offload<VpdByPath>(context_.loop, std::move(call));
    for (auto& [path, vpd] : found) {
        sources_.vpd.insert_or_assign(path, std::move(vpd));
        changed(path, false);
    }
}

void NodedevService::changed(const std::string& path, bool gone) {
    if (gone) {
        sources_.vpd.erase(path);
    }
    const auto changes = registry_.update(path, gone ? std::nullopt : probe_device(sources_, path));
    emit(changes);
    const bool is_new = !changes.empty() && changes.back().kind == ChangeKind::created;
    if (is_new && has_vital_product_data(sources_.sysfs, path)) {
        context_.tasks.spawn(read_vital_product_data({path}), "vital product data");
    }
}

void NodedevService::watch() {
    try {
        monitor_ = std::make_unique<DeviceMonitor>(
            context_.loop,
            DeviceMonitor::Listener{
                .changed = [this](const std::string& path, bool gone) { changed(path, gone); },
                .lost = [this] { rescan(); }},
            host_tree());
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
