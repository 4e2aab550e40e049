// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/bus/types.hpp"
#include "nodedev-driver/driver.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// What a node device is beside org.vireo.NodeDevice1. Documentation of the members: interfaces/.
namespace vireo::nodedev {

class NvmeControllerInterface : public std::enable_shared_from_this<NvmeControllerInterface> {
  public:
    /// `device` is one.
    NvmeControllerInterface(Driver& driver, Scope& tasks, Registry::Device device)
        : driver_(driver), tasks_(tasks), device_(std::move(device)) {}

    Scope& tasks() { return tasks_; }

    std::string controller() const { return nvme().controller; }

    std::string address() const;

    std::string model() const { return nvme().model; }

    std::string serial() const { return nvme().serial; }

    std::string firmware() const { return nvme().firmware; }

    std::string nqn() const { return nvme().nqn; }

    std::string transport() const { return nvme().transport; }

    std::string state() const { return nvme().state; }

    uint32_t controller_id() const { return nvme().id.value_or(UINT32_MAX); }

    int32_t numa_node() const;
    uint32_t max_secondary_controllers() const;
    std::vector<std::tuple<std::string, std::string>> secondary_controllers() const;
    std::vector<bus::ObjectPath> namespaces() const;
    bus::Dict health() const;

    Task<void> refresh_health();

  private:
    const NvmeCapability& nvme() const { return std::get<NvmeCapability>(device_->capability); }

    Driver& driver_;
    Scope& tasks_;
    Registry::Device device_;
};

class NvmeNamespaceInterface : public std::enable_shared_from_this<NvmeNamespaceInterface> {
  public:
    /// `device` is one.
    explicit NvmeNamespaceInterface(Registry::Device device) : device_(std::move(device)) {}

    uint32_t id() const { return space().id; }

    uint64_t size() const { return space().size; }

    uint64_t used() const { return space().used.value_or(UINT64_MAX); }

    uint32_t lba_size() const { return space().lba_size; }

    uint32_t metadata_size() const { return space().metadata_size.value_or(UINT32_MAX); }

    std::string nguid() const { return space().nguid; }

    std::string eui64() const { return space().eui64; }

    std::string uuid() const { return space().uuid; }

    std::string block_device() const { return disk().block; }

    std::string generic_device() const { return space().generic; }

    std::vector<bus::ObjectPath> controllers() const;

  private:
    const StorageCapability& disk() const {
        return std::get<StorageCapability>(device_->capability);
    }

    const NvmeNamespace& space() const { return *disk().nvme_namespace; }

    Registry::Device device_;
};

inline constexpr const char* nvme_controller_interface = "org.vireo.NvmeController1";
inline constexpr const char* nvme_namespace_interface = "org.vireo.NvmeNamespace1";
extern const sd_bus_vtable nvme_controller_vtable[];
extern const sd_bus_vtable nvme_namespace_vtable[];

} // namespace vireo::nodedev
