// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace vireo::test {

/// A process below another one.
struct Process {
    pid_t pid;
    std::string program;      ///< The base name of its executable.
    std::string command_line; ///< Its words, separated by spaces.
};

/// Every process that descends from `ancestor`, parents before children; zombies are left out.
/// Source: proc(5), /proc/PID/stat.
std::vector<Process> descendants_of(pid_t ancestor);

/// Makes this process the parent of every orphan among its descendants (PR_SET_CHILD_SUBREAPER),
/// so that whatever they start stays below it, daemons and guests included.
void adopt_orphans();

/// Ends every descendant of this process: SIGTERM to each one as it is found, SIGKILL to what is
/// left after `grace`. Reaps them all. Returns once none is left.
void end_descendants(std::chrono::milliseconds grace);

} // namespace vireo::test
