// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vireo::qemu {

struct ProbeLimits {
    std::chrono::milliseconds probe = std::chrono::seconds(30);
    /// A binary that cannot be probed is not run again for so long, unless it changes.
    std::chrono::milliseconds failure = std::chrono::seconds(10);
};

/// How a value is learnt from a QEMU binary and kept in a file.
template <class Value>
struct ProbedKind {
    std::string suffix; ///< of the file's name: `.json`
    std::function<Task<std::shared_ptr<const Value>>(
        Loop& loop, BinaryIdentity identity, std::chrono::milliseconds limit)>
        probe;
    std::function<std::string(const BinaryIdentity& identity, const Value& value)> to_text;
    /// Nothing where the text is of another binary or format, or damaged.
    std::function<std::optional<Value>(std::string_view text, const BinaryIdentity& identity)>
        from_text;
};

/// What was learnt of each QEMU binary. A binary is run once; the answer is kept in memory and in a
/// file, until the binary, the kernel or the state of /dev/kvm changes (BinaryIdentity).
template <class Value>
class ProbedCache {
  public:
    /// Files go to `folder`, e.g. `/var/cache/vireo/qemu`, which is made when it is needed.
    ProbedCache(Loop& loop, std::string folder, ProbedKind<Value> kind, ProbeLimits limits);

    /// Without waiting where it is known. Whoever asks while the binary is probed shares that
    /// probe; it goes on when the asker is cancelled. Throws no_support where there is no such
    /// program, operation_failed with the reason where it cannot be probed. The cache outlives its
    /// askers.
    Task<std::shared_ptr<const Value>> get(std::string binary);
    /// What get() would give without waiting; null where it would probe. Throws no_support.
    std::shared_ptr<const Value> known(const std::string& binary);

  private:
    struct Failure {
        ErrorCode code;
        std::string text;
        std::chrono::microseconds when; // of the loop's clock
    };

    struct Entry {
        explicit Entry(Loop& loop) : changed(loop) {}

        BinaryIdentity identity; // of the file that the rest was learnt from
        std::shared_ptr<const Value> value;
        std::optional<Failure> failure;
        bool probing = false;
        Condition changed;
    };

    Entry& entry_of(const std::string& binary);
    std::shared_ptr<const Value> look_up(Entry& entry, const BinaryIdentity& identity);
    void throw_failure(const Entry& entry, bool however_old) const;
    Task<void> probe(Entry& entry, BinaryIdentity identity);
    std::string file_of(const std::string& binary) const;

    Loop& loop_;
    std::string folder_;
    ProbedKind<Value> kind_;
    ProbeLimits limits_;
    std::map<std::string, std::unique_ptr<Entry>> entries_; // by path; never removed
    Scope probes_;
};

} // namespace vireo::qemu
