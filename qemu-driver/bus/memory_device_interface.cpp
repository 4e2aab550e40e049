// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/memory_device_interface.hpp"

#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/actions/memory_target.hpp"
#include "qemu-driver/host_facts.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "qemu-driver/model/memory_pages.hpp"

namespace vireo::qemu {

const MemoryDeviceDef& MemoryDeviceInterface::device() const {
    return actions::memory_device(*domain_, alias_);
}

std::string MemoryDeviceInterface::model() const {
    return std::string(name_of(device().model));
}

std::uint64_t MemoryDeviceInterface::size() const {
    return device().size_kib * bytes_per_kib;
}

std::uint64_t MemoryDeviceInterface::block_size() const {
    return device().block_kib.value_or(device().size_kib) * bytes_per_kib;
}

std::uint64_t MemoryDeviceInterface::requested() const {
    return device().model == MemoryDeviceModel::virtio_mem
               ? device().requested_kib.value_or(0) * bytes_per_kib
               : size();
}

std::uint64_t MemoryDeviceInterface::current() const {
    return plugged_kib(device()) * bytes_per_kib;
}

std::uint32_t MemoryDeviceInterface::node() const {
    return device().node.value_or(0);
}

std::uint64_t MemoryDeviceInterface::backing_page_size() const {
    return backing_page_kib(*domain_->guest->live, device(), page_facts()) * bytes_per_kib;
}

Task<void> MemoryDeviceInterface::set_requested(std::uint64_t bytes) {
    return actions::set_requested_memory(driver_, domain_, alias_, bytes);
}

Task<std::uint64_t> MemoryDeviceInterface::wait_for_requested(std::uint64_t timeout_usec) {
    return actions::wait_for_requested(driver_, domain_, alias_, timeout_usec);
}

const sd_bus_vtable memory_device_vtable[] = {
    bus::start(),
    bus::property<&MemoryDeviceInterface::model>("Model", bus::Changes::never),
    bus::property<&MemoryDeviceInterface::size>("Size", bus::Changes::never),
    bus::property<&MemoryDeviceInterface::block_size>("BlockSize", bus::Changes::never),
    bus::writable<&MemoryDeviceInterface::requested, &MemoryDeviceInterface::set_requested>(
        "Requested", bus::Changes::emits),
    bus::property<&MemoryDeviceInterface::current>("Current", bus::Changes::emits),
    bus::property<&MemoryDeviceInterface::node>("Node", bus::Changes::never),
    bus::property<&MemoryDeviceInterface::backing_page_size>("BackingPageSize",
                                                             bus::Changes::never),
    bus::method<&MemoryDeviceInterface::wait_for_requested, "timeout_usec", "current">(
        "WaitForRequested"),
    bus::end(),
};

} // namespace vireo::qemu
