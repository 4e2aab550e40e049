// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/process.hpp"

#include <string>

namespace vireo {

/// What the child does before it is replaced, in this order.
enum class ChildStep : int { session, memlock, memory_policy, pid_file, descriptors, exec };

/// What a child that could not become the program tells its parent.
struct ChildFailure {
    ChildStep step;
    int error;
};

/// Holds a child until a byte comes: the ends of a pipe; -1: nothing is waited for.
struct ChildGate {
    int wait = -1;
    int open = -1;
};

/// Forks, and becomes the program in the child, once `gate` opens: the child exits where it closes
/// unopened. A child that cannot writes a ChildFailure to
/// `report` and exits; else `report` closes by execve(2).
Process fork_child(ProcessSpec& spec, int report, ChildGate gate = {});

/// `start 'qemu': make a session: Operation not permitted`
std::string text_of(const ChildFailure& failure, const ProcessSpec& spec);

} // namespace vireo
