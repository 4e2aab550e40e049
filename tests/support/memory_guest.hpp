// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/client.hpp"
#include "tests/support/guest_console.hpp"
#include "tests/support/instance.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace vireo::test {

inline constexpr std::uint64_t mib = 1 << 20;

/// How long a Linux guest under TCG may take for what it does by itself, on a loaded machine.
inline constexpr auto boot_limit = std::chrono::seconds(240);
inline constexpr auto guest_limit = std::chrono::seconds(120);
inline constexpr std::uint64_t guest_limit_usec = 120'000'000;

/// `<memory>` of virtio-mem on node 0 with blocks of 2 MiB; `more` stands behind its target.
std::string
virtio_mem_xml(std::uint64_t size_mib, std::uint64_t requested_mib, const std::string& more = {});

struct MemoryGuestOptions {
    bool linux = true;                     ///< else its firmware finds nothing to boot
    std::uint64_t size_mib = 512;          ///< of its virtio-mem device
    std::string online = "online_movable"; ///< the kernel's memhp_default_state
};

/// An instance with one running guest: 192 MiB, one virtio-mem device of which nothing is
/// requested, a balloon.
class MemoryGuest {
  public:
    explicit MemoryGuest(const MemoryGuestOptions& options);

    const Instance& instance() const { return instance_; }

    Client& client() { return client_; }

    const Target& domain() const { return domain_; }

    const Target& native() const { return native_; }

    /// The device that the document has.
    const Target& device() const { return memory_; }

    Target memory(const std::string& alias) const;

    std::string xml(std::uint32_t flags = 0);
    std::uint64_t current();
    void request(std::uint64_t requested_mib);
    std::uint64_t wait(std::uint64_t limit_usec = guest_limit_usec);

    /// MemTotal of the guest's own /proc/meminfo.
    std::uint64_t guest_kib();
    /// The guest brings blocks online a little after QEMU's event. Throws where it does not.
    std::uint64_t await_guest_kib(const std::function<bool(std::uint64_t)>& wanted);

    GuestConsole& console() { return *console_; }

    /// PropertiesChanged of the device.
    Watch watch_properties();

    /// The text of the error that the call ends in, or "no error".
    static std::string message_of(const std::function<void()>& call);

  private:
    std::string serial() const { return (instance_.root() / "console").string(); }

    std::string document(const MemoryGuestOptions& options) const;

    Instance instance_;
    Client client_;
    bus::ObjectPath path_;
    Target domain_;
    Target native_;
    Target memory_;
    std::optional<GuestConsole> console_;
};

/// Takes PropertiesChanged until `property` of the device has the value.
void await_property(Watch& changes, const char* property, std::uint64_t value);

} // namespace vireo::test
