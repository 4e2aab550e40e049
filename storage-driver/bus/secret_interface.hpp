// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/bus/reply.hpp"
#include "storage-driver/secrets/secrets.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vireo::storage {

/// One secret as org.libvirt.Secret.
class SecretInterface : public std::enable_shared_from_this<SecretInterface> {
  public:
    SecretInterface(Scope& tasks, Secrets& secrets, Secrets::Ptr secret)
        : tasks_(tasks), secrets_(secrets), secret_(std::move(secret)) {}

    Scope& tasks() { return tasks_; }

    std::string uuid() const { return secret_->def.uuid; }

    std::string usage_id() const { return secret_->def.usage_id(); }

    int32_t usage_type() const { return static_cast<int32_t>(secret_->def.usage_type()); }

    /// Another daemon of Vireo, which is connected directly, sees private ones, too.
    std::vector<uint8_t> get_value(bus::Caller caller, uint32_t flags) const;
    std::string get_xml_desc(uint32_t flags) const;
    Task<void> set_value(std::vector<uint8_t> value, uint32_t flags);
    Task<void> undefine();

  private:
    Scope& tasks_;
    Secrets& secrets_;
    Secrets::Ptr secret_;
};

inline constexpr const char* secret_interface = "org.libvirt.Secret";
extern const sd_bus_vtable secret_vtable[];

} // namespace vireo::storage
