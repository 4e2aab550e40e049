// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/process.hpp"
#include "libshared/async/task.hpp"
#include "libshared/fd.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <string>
#include <vector>

namespace vireo::qemu {

/// A process beside QEMU that plays a part of a guest's device: a TPM, a server of files, a
/// network. It is given a socket that listens already, so that QEMU can connect at once, and ends
/// by itself when QEMU has closed its connection: whatever becomes of the daemon, it lives as long
/// as the guest.
struct Helper {
    std::string owner;                  ///< alias of the device
    std::string socket;                 ///< the path that QEMU connects to
    std::string program;                ///< absolute, or searched in $PATH
    std::vector<std::string> arguments; ///< with `listening` as descriptor 3
    bool detaches = false; ///< makes its socket itself, and goes to the background when it listens
    std::string folder;    ///< of its state; made before it runs; empty: none
};

/// Where helpers find and leave what is theirs.
struct HelperPlaces {
    std::string private_dir; ///< the guest's own folder, which ends with it
    std::string state;       ///< what must last: `state/swtpm/UUID`
};

/// The number of the listening socket in a helper.
inline constexpr int helper_socket = 3;

/// What must run for this guest. Throws config_unsupported naming the device where an option is not
/// supported.
std::vector<Helper> wanted_helpers(const DomainDef& def, const HelperPlaces& places);

/// What the sockets of the guest's `passt` processes begin with; `-ALIAS.socket` follows.
std::string passt_prefix_in(const std::string& private_dir);
/// The socket of the guest's TPM emulator.
std::string tpm_socket_in(const std::string& private_dir);
/// The folder of a guest's TPM, which lasts as long as its definition.
std::string tpm_state_of(const std::string& state, const std::string& uuid);

/// Runs a helper with `log` as its standard error. Throws operation_failed naming the program and
/// the Debian package where it is not installed.
Task<Process> start_helper(Loop& loop, Helper helper, std::string pid_file, int log);

/// The pid file of a device's helper in the guest's folder.
std::string helper_pid_file(const std::string& private_dir, const std::string& owner);
/// The helpers of a guest that an earlier daemon started, those that run still.
std::vector<Process> running_helpers(const std::string& private_dir);

} // namespace vireo::qemu
