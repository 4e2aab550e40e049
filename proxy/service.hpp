// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "proxy/callers.hpp"
#include "proxy/driver_link.hpp"
#include "proxy/routes.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace vireo::proxy {

/// Owns the names org.libvirt and org.vireo on the message bus and passes what is called there to
/// the drivers, by the contract alone: it knows none of them.
class ProxyService final : public Service {
  public:
    /// Connects to the bus: the one that started the daemon (`$DBUS_STARTER_ADDRESS`), else the
    /// user's in session mode, else the system's. Throws system_error.
    explicit ProxyService(Context& ctx);
    ~ProxyService() override;

    /// Takes the names: from now on calls come.
    void started() override;
    bool idle() const override;
    /// Gives the names back; ends the daemon once no call can be on its way to it.
    bool leave() override;

  private:
    static int on_message(sd_bus_message* message, void* self, sd_bus_error*) noexcept;
    static int on_client_left(sd_bus_message* message, void* self, sd_bus_error*) noexcept;
    static int on_lock_written(sd_event_source*, const inotify_event*, void* self) noexcept;

    void watch_locks();
    void take_call(bus::Message call);
    void carry_out(bus::Message call, const Route& route, const CallHeader& header);
    Route route_of(sd_bus_message* call, CallHeader& header) const;
    DriverLink& link(std::string_view driver);
    Task<void> look_for(std::string client, std::string driver);
    Task<void> take_names();
    Task<void> give_names_back();

    Context& ctx_;
    Scope own_tasks_; // none of them keeps the daemon
    bus::Bus connection_;
    std::map<std::string, std::unique_ptr<DriverLink>, std::less<>> links_;
    Callers callers_;
    bus::Slot filter_;
    bus::Slot left_match_;
    Source lock_watch_;
    std::uint64_t calls_ = 0; // taken so far
    std::chrono::microseconds active_at_{};
    bool leaving_ = false;
};

} // namespace vireo::proxy
