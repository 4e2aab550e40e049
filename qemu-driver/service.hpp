// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/bus/connect_interface.hpp"
#include "qemu-driver/bus/memory_device_interface.hpp"
#include "qemu-driver/bus/snapshot_interface.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>

namespace vireo::qemu {

/// vireo-qemud's own part: domains and their QEMU processes.
class QemuService : public Service {
  public:
    explicit QemuService(Context& context);
    ~QemuService() override;

    /// Active guests keep the daemon: it follows them.
    bool idle() const override { return driver_.registry.active() == 0; }

    void started() override;

  private:
    void export_objects();
    std::shared_ptr<MemoryDeviceInterface> find_memory_device(std::string_view path);
    std::vector<std::string> memory_device_paths() const;
    std::shared_ptr<SnapshotInterface> find_snapshot(std::string_view path);
    std::vector<std::string> snapshot_paths();

    Driver driver_;
    std::shared_ptr<ConnectInterface> connect_;
};

} // namespace vireo::qemu
