// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/native_interfaces.hpp"

#include "libshared/bus/vtable.hpp"
#include "libshared/error.hpp"
#include "nodedev-driver/actions/lease_device.hpp"
#include "nodedev-driver/actions/plan_attach.hpp"
#include "nodedev-driver/actions/settle_device.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/model/capability_kind.hpp"

namespace vireo::nodedev {

namespace {

/// The options of Acquire.
struct AcquireOptions {
    std::string driver;
    uint32_t process{};
    std::vector<std::string> beside;
};

AcquireOptions read_options(const bus::Dict& options) {
    AcquireOptions read;
    for (const auto& [key, value] : options) {
        const auto* text = value.get<std::string>();
        const auto* number = value.get<uint32_t>();
        const auto* names = value.get<std::vector<std::string>>();
        if (key == "driver" && text != nullptr) {
            read.driver = *text;
        } else if (key == "process" && number != nullptr) {
            read.process = *number;
        } else if (key == "beside" && names != nullptr) {
            read.beside = *names;
        } else {
            throw Error(ErrorCode::invalid_arg,
                        "option '{}' of Acquire is not known, or not of its type",
                        key);
        }
    }
    return read;
}

/// What PlanAttach takes: a wish each that is true, and the disk's name in the guest.
actions::AttachQuestion read_wishes(const bus::Dict& wishes) {
    actions::AttachQuestion question({}, "vda");
    for (const auto& [key, value] : wishes) {
        const auto wish = xml::enum_of<AttachWish>(key);
        const auto* wanted = value.get<bool>();
        const auto* text = value.get<std::string>();
        if (wish && wanted != nullptr) {
            if (*wanted) {
                question.wishes.push_back(*wish);
            }
        } else if (key == "target" && text != nullptr && !text->empty()) {
            question.target = *text;
        } else {
            throw Error(ErrorCode::invalid_arg,
                        "wish '{}' of PlanAttach is not known, or not of its type",
                        key);
        }
    }
    return question;
}

bus::Dict to_dict(const Attachment& way) {
    std::vector<std::string> given_up;
    for (const AttachWish wish : way.gives_up) {
        given_up.emplace_back(xml::name_of(wish));
    }
    std::vector<bus::Variant> obstacles;
    for (const Obstacle& each : way.obstacles) {
        obstacles.emplace_back(bus::Dict{{"Kind", std::string(xml::name_of(each.kind))},
                                         {"Text", each.text},
                                         {"WayOut", each.way_out}});
    }
    return {{"Kind", std::string(xml::name_of(way.kind))},
            {"Device", bus::ObjectPath(native_path(way.device))},
            {"XML", way.xml},
            {"GivesUp", std::move(given_up)},
            {"Notes", way.notes},
            {"Obstacles", std::move(obstacles)}};
}

Task<std::vector<bus::Dict>> to_dicts(Task<std::vector<Attachment>> plan) {
    const std::vector<Attachment> ways = co_await std::move(plan);
    std::vector<bus::Dict> dicts;
    dicts.reserve(ways.size());
    for (const Attachment& way : ways) {
        dicts.push_back(to_dict(way));
    }
    co_return dicts;
}

} // namespace

std::vector<std::string> NativeDeviceInterface::capabilities() const {
    const auto names = capability_names(*device_);
    return {names.begin(), names.end()};
}

bus::ObjectPath NativeDeviceInterface::parent() const {
    return bus::ObjectPath(device_->parent ? native_path(*device_->parent) : "/");
}

bus::ObjectPath NativeDeviceInterface::libvirt_path() const {
    return bus::ObjectPath(device_path(device_->name));
}

std::vector<bus::Dict> NativeDeviceInterface::in_use_by() const {
    std::vector<bus::Dict> uses;
    for (const DeviceUse& use : driver_.uses(*device_)) {
        uses.push_back({{"Kind", use.kind}, {"By", use.by}, {"Device", use.device}});
    }
    return uses;
}

bus::Dict NativeDeviceInterface::lease() const {
    const std::string path = sysfs_path();
    const Lease* lease = driver_.leases.find(path.substr(path.rfind('/') + 1));
    if (lease == nullptr || !std::holds_alternative<PciCapability>(device_->capability)) {
        return {};
    }
    return {{"Holder", lease->holder},
            {"Driver", lease->driver},
            {"HostDriver", lease->host_driver},
            {"State", std::string(xml::name_of(lease->state))},
            {"Since", lease->since},
            {"Process", lease->process}};
}

Task<void> NativeDeviceInterface::acquire(std::string holder, bus::Dict options) {
    if (holder.empty()) {
        throw Error(ErrorCode::invalid_arg, "who acquires device '{}' has no name", device_->name);
    }
    const AcquireOptions wanted = read_options(options);
    return actions::take_device(driver_,
                                device_->name,
                                std::move(holder),
                                actions::checked_driver(wanted.driver),
                                wanted.process,
                                wanted.beside);
}

Task<void> NativeDeviceInterface::release(std::string holder) {
    return actions::release_device(driver_, device_->name, std::move(holder));
}

Task<std::vector<bus::Dict>> NativeDeviceInterface::plan_attach(std::string device,
                                                                bus::Dict wishes) {
    return to_dicts(
        actions::plan_attach(driver_, device_->name, std::move(device), read_wishes(wishes)));
}

Task<void> NativeDeviceInterface::settle() {
    return actions::settle_device(driver_, device_->name);
}

void NativeDeviceInterface::refresh() {
    if (device_->path) {
        driver_.look_again(*device_->path);
    }
}

using Device = NativeDeviceInterface;
constexpr sd_bus_vtable native_device_vtable[] = {
    bus::start(),
    bus::property<&Device::name>("Name", bus::Changes::never),
    bus::property<&Device::capabilities>("Capabilities", bus::Changes::emits),
    bus::property<&Device::parent>("Parent", bus::Changes::emits),
    bus::property<&Device::sysfs_path>("SysfsPath", bus::Changes::emits),
    bus::property<&Device::host_driver>("HostDriver", bus::Changes::emits),
    bus::property<&Device::libvirt_path>("LibvirtPath", bus::Changes::never),
    bus::property<&Device::in_use_by>("InUseBy", bus::Changes::emits),
    bus::property<&Device::lease>("Lease", bus::Changes::emits),
    bus::method<&Device::acquire, "holder", "options">("Acquire"),
    bus::method<&Device::release, "holder">("Release"),
    bus::method<&Device::refresh>("Refresh"),
    bus::method<&Device::settle>("Settle"),
    bus::method<&Device::plan_attach, "device", "wishes", "attachments">("PlanAttach"),
    bus::end(),
};

} // namespace vireo::nodedev
