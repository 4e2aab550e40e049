// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vireo::qemu {

/// What each QEMU binary can do. A binary is run once; the answer is kept in memory and in a file,
/// until the binary, the kernel or the state of /dev/kvm changes (BinaryIdentity).
class CapabilitiesCache {
  public:
    struct Limits {
        std::chrono::milliseconds probe = std::chrono::seconds(30);
        /// A binary that cannot be probed is not run again for so long, unless it changes.
        std::chrono::milliseconds failure = std::chrono::seconds(10);
    };

    /// Files go to `folder`, e.g. `/var/cache/vireo/qemu`, which is made when it is needed.
    CapabilitiesCache(Loop& loop, std::string folder, Limits limits);

    CapabilitiesCache(Loop& loop, std::string folder)
        : CapabilitiesCache(loop, std::move(folder), Limits()) {}

    /// Without waiting where it is known. Whoever asks while the binary is probed shares that
    /// probe; it goes on when the asker is cancelled. Throws no_support where there is no such
    /// program, operation_failed with the reason where it cannot be probed. The cache outlives its
    /// askers.
    Task<std::shared_ptr<const QemuCapabilities>> get(std::string binary);
    /// What get() would give without waiting; null where it would probe. Throws no_support.
    std::shared_ptr<const QemuCapabilities> known(const std::string& binary);

  private:
    struct Failure {
        ErrorCode code;
        std::string text;
        std::chrono::microseconds when; // of the loop's clock
    };

    struct Entry {
        explicit Entry(Loop& loop) : changed(loop) {}

        BinaryIdentity identity; // of the file that the rest was learnt from
        std::shared_ptr<const QemuCapabilities> capabilities;
        std::optional<Failure> failure;
        bool probing = false;
        Condition changed;
    };

    Entry& entry_of(const std::string& binary);
    std::shared_ptr<const QemuCapabilities> look_up(Entry& entry, const BinaryIdentity& identity);
    void throw_failure(const Entry& entry, bool however_old) const;
    Task<void> probe(Entry& entry, BinaryIdentity identity);
    std::string file_of(const std::string& binary) const;

    Loop& loop_;
    std::string folder_;
    Limits limits_;
    std::map<std::string, std::unique_ptr<Entry>> entries_; // by path; never removed
    Scope probes_;
};

} // namespace vireo::qemu
