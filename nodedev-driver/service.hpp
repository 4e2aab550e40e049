// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "nodedev-driver/probe/monitor.hpp"
#include "nodedev-driver/probe/probe.hpp"
#include "nodedev-driver/registry.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace vireo::nodedev {

/// The devices of this host on D-Bus, kept up to date from the monitor's events.
class NodedevService : public Service {
  public:
    explicit NodedevService(Context& context);

    /// Open calls alone keep it: what it knows can be read again at any time.
    bool idle() const override { return true; }

    void started() override;

  private:
    void serve();
    void watch();
    void rescan();
    void emit(const std::vector<Change>& changes);
    void changed(const std::string& path, bool gone);
    Task<void> read_vital_product_data(std::vector<std::string> functions);

    Context& context_;
    ProbeSources sources_;
    Registry registry_;
    std::unique_ptr<DeviceMonitor> monitor_;
};

} // namespace vireo::nodedev
