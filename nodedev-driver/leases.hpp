// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/queue.hpp"
#include "libshared/xml/enum_names.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace vireo::nodedev {

/// How far it is; what is between two states when the daemon ends is brought to its end later.
enum class LeaseState { taking, held, returning };

/// A PCI function that was taken from its host driver.
struct Lease {
    std::string address;
    /// `domain/UUID`; empty: an administrator detached it.
    std::string holder;
    /// The driver that it was given to.
    std::string driver;
    /// The driver that it goes back to; empty: none.
    std::string host_driver;
    /// What driver_override was before; empty: nothing.
    std::string host_override;
    LeaseState state{};
    /// Seconds of the epoch.
    uint64_t since{};
    /// The process that the lease ends with, and when that was started (a pid comes again); 0:
    /// none.
    uint32_t process{};
    uint64_t process_started{};

    bool operator==(const Lease&) const = default;
};

/// All leases, in memory and in a journal: one file each, written before the device is touched. It
/// is below /run, because drivers are bound anew when the host boots.
class Leases {
  public:
    /// Reads the journal in `folder`; a file that is no lease is logged and left alone.
    Leases(Loop& loop, std::string folder);

    /// Null where there is none.
    const Lease* find(std::string_view address) const;

    const std::map<std::string, Lease, std::less<>>& all() const noexcept { return leases_; }

    /// Throws system_error where the journal cannot be written; then nothing has changed.
    void save(Lease lease);
    void end(const std::string& address);
    /// Puts the changes of one function in order.
    ChangeQueue& queue(const std::string& address);

  private:
    std::string file_of(const std::string& address) const;

    Loop& loop_;
    std::string folder_;
    std::map<std::string, Lease, std::less<>> leases_;
    std::map<std::string, ChangeQueue> queues_;
};

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::LeaseState> {
    static constexpr std::array<std::string_view, 3> names{"taking", "held", "returning"};
};
