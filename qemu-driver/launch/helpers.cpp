// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/helpers.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>

namespace vireo::qemu {

namespace {

constexpr std::string_view pid_suffix = ".helper";

[[noreturn]] void
refuse_part(std::string_view device, std::string_view name, std::string_view what) {
    throw Error(ErrorCode::config_unsupported, "{} '{}': {} is not supported", device, name, what);
}

/// Source: swtpm(8). With --terminate it ends with its client.
Helper tpm_helper(const DomainDef& def,
                  const TpmDef& tpm,
                  const EmulatorTpm& emulator,
                  const HelperPlaces& places) {
    const std::string& alias = *tpm.info.alias;
    if (emulator.encryption_secret) {
        refuse_part("tpm", alias, "<encryption>");
    }
    if (!emulator.active_pcr_banks.empty()) {
        refuse_part("tpm", alias, "<active_pcr_banks>");
    }
    Helper helper;
    helper.owner = alias;
    helper.socket = tpm_socket_in(places.private_dir);
    helper.program = "swtpm";
    const bool v2 = emulator.version.value_or(TpmVersion::v2_0) == TpmVersion::v2_0;
    helper.folder = tpm_state_of(places.state, *def.uuid) + (v2 ? "/tpm2" : "/tpm1.2");
    if (helper.folder.find(',') != std::string::npos) {
        refuse_part("tpm", alias, fmt::format("a comma in its folder '{}'", helper.folder));
    }
    helper.arguments = {"socket",
                        "--ctrl",
                        fmt::format("type=unixio,fd={}", helper_socket),
                        "--tpmstate",
                        fmt::format("dir={},mode=0600", helper.folder),
                        "--terminate"};
    if (v2) {
        helper.arguments.emplace_back("--tpm2");
    }
    return helper;
}

std::string on_off(const char* name, OnOff state) {
    return fmt::format(",{}{}", state == OnOff::on ? "" : "no_", name);
}

/// Source: virtiofsd(1) of QEMU 7.2. It ends when QEMU has closed the connection.
Helper virtiofs_helper(const FilesystemDef& filesystem, const HelperPlaces& places) {
    const std::string& alias = *filesystem.info.alias;
    const VirtiofsBinary binary = filesystem.binary.value_or(VirtiofsBinary{});
    const std::string source = filesystem.source_dir.value_or("");
    if (source.find_first_of(",\\") != std::string::npos) {
        refuse_part("filesystem", filesystem.target_dir, "a comma or a backslash in its folder");
    }
    Helper helper;
    helper.owner = alias;
    helper.socket = fmt::format("{}/{}-fs.sock", places.private_dir, alias);
    helper.program = binary.path.value_or("/usr/lib/qemu/virtiofsd");
    std::string options = "source=" + source;
    if (binary.cache) {
        options += binary.cache == VirtiofsCache::none ? ",cache=none" : ",cache=always";
    }
    if (binary.sandbox) {
        options +=
            binary.sandbox == VirtiofsSandbox::chroot ? ",sandbox=chroot" : ",sandbox=namespace";
    }
    options += binary.xattr ? on_off("xattr", *binary.xattr) : "";
    options += binary.flock ? on_off("flock", *binary.flock) : "";
    options += binary.posix_lock ? on_off("posix_lock", *binary.posix_lock) : "";
    helper.arguments = {fmt::format("--fd={}", helper_socket), "-o", std::move(options)};
    if (binary.thread_pool_size) {
        helper.arguments.push_back(fmt::format("--thread-pool-size={}", *binary.thread_pool_size));
    }
    return helper;
}

std::string range_of(const PortRange& range) {
    std::string text = fmt::format("{}{}", range.exclude == YesNo::yes ? "~" : "", range.start);
    const uint32_t end = range.end.value_or(range.start);
    if (range.end) {
        text += fmt::format("-{}", end);
    }
    if (range.to) {
        text += fmt::format(":{}", *range.to);
        text += range.end ? fmt::format("-{}", *range.to + (end - range.start)) : "";
    }
    return text;
}

/// Source: passt(1), --tcp-ports.
std::string ports_of(const PortForward& forward, const std::string& alias) {
    std::string text = forward.address.value_or("");
    text += forward.dev ? "%" + *forward.dev : "";
    if (forward.ranges.empty()) {
        if (!text.empty()) {
            refuse_part("interface", alias, "<portForward> of one address without a <range>");
        }
        return "all";
    }
    text += text.empty() ? "" : "/";
    for (const PortRange& range : forward.ranges) {
        text += &range == &forward.ranges.front() ? "" : ",";
        text += range_of(range);
    }
    return text;
}

/// Source: passt(1). With --one-off it ends with its client.
Helper passt_helper(const InterfaceDef& card, const HelperPlaces& places) {
    const std::string& alias = *card.info.alias;
    Helper helper;
    helper.owner = alias;
    helper.socket = fmt::format("{}-{}.socket", passt_prefix_in(places.private_dir), alias);
    helper.program = "passt";
    helper.detaches = true;
    helper.arguments = {"--one-off",
                        "--socket",
                        helper.socket,
                        "--pid",
                        helper_pid_file(places.private_dir, alias)};
    const auto add = [&](const char* option, std::string value) {
        helper.arguments.emplace_back(option);
        helper.arguments.push_back(std::move(value));
    };
    if (card.backend.log_file) {
        add("--log-file", *card.backend.log_file);
    }
    if (const auto& user = std::get<UserSource>(card.source); user.dev) {
        add("--interface", *user.dev);
    }
    for (const IpDef& ip : card.ips) {
        add("--address", ip.address);
        if (ip.prefix && ip.family != "ipv6") {
            add("--netmask", fmt::format("{}", *ip.prefix));
        }
    }
    for (const PortForward& forward : card.port_forwards) {
        add(forward.protocol == PortProtocol::tcp ? "--tcp-ports" : "--udp-ports",
            ports_of(forward, alias));
    }
    return helper;
}

std::string package_of(const std::string& program) {
    return program == "swtpm" || program == "passt" ? program : "virtiofsd (or qemu-system-common)";
}

std::vector<std::string> environment_of(const std::string& pid_file) {
    return {"LC_ALL=C",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "VIREO_GUEST=" + pid_file.substr(0, pid_file.rfind('/'))};
}

[[noreturn]] void refuse_missing(const Helper& helper, const Error& e) {
    throw Error(ErrorCode::operation_failed,
                "device '{}' needs '{}', which does not run: {}; Debian has it in the package {}",
                helper.owner,
                helper.program,
                e.what(),
                package_of(helper.program));
}

std::optional<Process> process_in(const std::string& pid_file) {
    const std::string text = read_file_if_exists(pid_file).value_or("");
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return pid > 0 ? Process::open(pid) : std::nullopt;
}

/// The last line of what a program printed.
std::string last_line(std::string text) {
    text.erase(text.find_last_not_of(" \n") + 1);
    return text.substr(text.rfind('\n') + 1);
}

/// Runs one that is ready when the process that was started has ended. As root, passt would become
/// nobody, who may not write to the guest's folder.
Task<Process> start_detaching(Loop& loop, Helper helper, std::string pid_file) {
    constexpr std::chrono::microseconds limit = std::chrono::seconds(10);
    ProcessSpec spec;
    spec.program = helper.program;
    spec.arguments = helper.arguments;
    if (::geteuid() == 0) {
        spec.arguments.emplace_back("--runas");
        spec.arguments.emplace_back("0:0");
    }
    std::vector<std::string> environment = environment_of(pid_file);
    spec.environment = std::move(environment);
    Output output;
    try {
        auto running = run_command(loop, std::move(spec), limit);
        output = co_await std::move(running);
    } catch (const Error& e) {
        refuse_missing(helper, e);
    }
    auto process = process_in(pid_file);
    if (!output.status.success() || !process) {
        throw Error(ErrorCode::operation_failed,
                    "device '{}': '{}' ended with {}: {}",
                    helper.owner,
                    helper.program,
                    output.status.text(),
                    last_line(output.errors));
    }
    co_return std::move(*process);
}

/// A pid may have been given to another process since: the command line of a helper has its folder
/// or its socket's number, and its environment the guest's folder.
bool is_helper_of(pid_t pid, const std::string& private_dir) {
    const auto environment = read_file_if_exists(fmt::format("/proc/{}/environ", pid)).value_or("");
    return environment.find("VIREO_GUEST=" + private_dir + '\0') != std::string::npos ||
           environment.ends_with("VIREO_GUEST=" + private_dir);
}

} // namespace

std::string passt_prefix_in(const std::string& private_dir) {
    return private_dir + "/passt";
}

std::string tpm_socket_in(const std::string& private_dir) {
    return private_dir + "/swtpm.sock";
}

std::string tpm_state_of(const std::string& state, const std::string& uuid) {
    return fmt::format("{}/swtpm/{}", state, uuid);
}

std::string helper_pid_file(const std::string& private_dir, const std::string& owner) {
    return fmt::format("{}/{}{}", private_dir, owner, pid_suffix);
}

std::vector<Helper> wanted_helpers(const DomainDef& def, const HelperPlaces& places) {
    std::vector<Helper> helpers;
    for (const TpmDef& tpm : def.devices.tpms) {
        if (const auto* emulator = std::get_if<EmulatorTpm>(&tpm.backend)) {
            helpers.push_back(tpm_helper(def, tpm, *emulator, places));
        }
    }
    for (const FilesystemDef& filesystem : def.devices.filesystems) {
        if (filesystem.driver == FilesystemDriver::virtiofs && !filesystem.source_socket) {
            helpers.push_back(virtiofs_helper(filesystem, places));
        }
    }
    for (const InterfaceDef& card : def.devices.interfaces) {
        if (card.backend.type == InterfaceBackendType::passt) {
            helpers.push_back(passt_helper(card, places));
        }
    }
    return helpers;
}

Task<Process> start_helper(Loop& loop, Helper helper, std::string pid_file, int log) {
    if (helper.detaches) {
        co_return co_await start_detaching(loop, std::move(helper), std::move(pid_file));
    }
    if (!helper.folder.empty()) {
        make_folders(helper.folder);
    }
    const Fd listening = listen_unix(helper.socket);
    const int flags = ::fcntl(listening.get(), F_GETFL);
    check_errno(::fcntl(listening.get(), F_SETFL, flags & ~O_NONBLOCK),
                "let a helper's socket wait");
    ProcessSpec spec;
    spec.program = helper.program;
    spec.arguments = helper.arguments;
    std::vector<std::string> environment = environment_of(pid_file);
    spec.environment = std::move(environment);
    spec.descriptors.push_back({listening.get(), helper_socket});
    spec.output = log;
    spec.errors = log;
    spec.pid_file = std::move(pid_file);
    spec.own_session = true;
    auto spawning = spawn(loop, std::move(spec));
    try {
        co_return co_await std::move(spawning);
    } catch (const Error& e) {
        refuse_missing(helper, e);
    }
}

std::vector<Process> running_helpers(const std::string& private_dir) {
    std::vector<Process> helpers;
    std::error_code nothing;
    for (const auto& entry : std::filesystem::directory_iterator(private_dir, nothing)) {
        const std::string path = entry.path().string();
        if (!path.ends_with(pid_suffix)) {
            continue;
        }
        auto process = process_in(path);
        if (process && is_helper_of(process->pid(), private_dir)) {
            helpers.push_back(std::move(*process));
        }
    }
    return helpers;
}

} // namespace vireo::qemu
