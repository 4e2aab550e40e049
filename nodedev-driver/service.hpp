// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "libshared/fd.hpp"
#include "nodedev-driver/driver.hpp"
#include "nodedev-driver/known_devices.hpp"
#include "nodedev-driver/probe/monitor.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace vireo::nodedev {

/// The devices of this host on D-Bus, kept up to date from the monitor's events.
class NodedevService : public Service {
  public:
    explicit NodedevService(Context& context);

    /// What it knows can be read again at any time; but somebody must be there when the process
    /// ends that has a device.
    bool idle() const override { return driver_.followers.running() == 0; }

    void started() override;

  private:
    void serve();
    void serve_native();
    std::vector<std::string> paths(std::string (*path_of)(std::string_view)) const;
    Registry::Device native_device(std::string_view path) const;
    void watch();
    void watch_uses();
    void changed(const std::string& path, bool gone);
    /// Looks at what uses the disks again; names of the devices that answer differently.
    std::set<std::string> take_uses();
    void uses_changed();
    void rescan();
    void save_later();
    static int on_save(sd_event_source* source, void* self) noexcept;
    void emit(const std::vector<Change>& changes);
    void tell_properties(const NodeDevice& device);

    /// What takes a device up to seconds to tell, and is told of when it is there.
    struct SlowFacts {
        struct Namespace {
            std::string path;
            std::string controller_node;
            uint32_t id;
        };

        std::vector<std::string> functions; // with vital product data
        std::vector<Namespace> namespaces;  // of which sysfs does not tell all
    };

    void add_slow_facts(const NodeDevice& device, SlowFacts& wanted) const;
    void find_slow_facts(SlowFacts wanted);
    Task<void> take_slow_facts(SlowFacts wanted);
    static int on_table_changed(sd_event_source* source, int, uint32_t, void* self) noexcept;

    Context& context_;
    Driver driver_;
    KnownDevices known_;
    Source save_;
    std::unique_ptr<DeviceMonitor> monitor_;
    std::map<std::string, std::vector<DeviceUse>> uses_; // of the disks, as they were told
    bool telling_ = false;
    Fd mounts_;
    Fd swaps_;
    Source mounts_source_;
    Source swaps_source_;
};

} // namespace vireo::nodedev
