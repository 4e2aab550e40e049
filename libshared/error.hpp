// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <fmt/format.h>

#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace vireo {

/// What went wrong, in libvirt's numbering. Source: virErrorNumber in libvirt's public virterror.h.
enum class ErrorCode : int {
    internal = 1,
    no_memory = 2,
    no_support = 3,
    no_connect = 5,
    invalid_arg = 8,
    operation_failed = 9,
    os_type = 16,
    no_name = 21,
    xml_error = 27,
    domain_exists = 28,
    operation_denied = 29,
    open_failed = 30,
    read_failed = 31,
    parse_failed = 32,
    write_failed = 34,
    system_error = 38,
    no_domain = 42,
    no_network = 43,
    auth_failed = 45,
    no_storage_pool = 49,
    no_storage_vol = 50,
    no_node_device = 53,
    operation_invalid = 55,
    no_interface = 57,
    no_nwfilter = 62,
    no_secret = 66,
    config_unsupported = 67,
    operation_timeout = 68,
    no_domain_snapshot = 72,
    argument_unsupported = 74,
    storage_pool_built = 76,
    operation_aborted = 78,
    no_domain_metadata = 80,
    overflow = 82,
    operation_unsupported = 84,
    agent_unresponsive = 86,
    resource_busy = 87,
    access_denied = 88,
    storage_vol_exists = 90,
    cpu_incompatible = 91,
    xml_invalid_schema = 92,
    device_missing = 99,
};

/// One row for each code: libvirt's phrase, which clients match on (`Domain not found`; the message
/// follows, or stands at `{}`), and the D-Bus error name on the native interfaces
/// (`org.vireo.Error.NoDomain`). Source: the messages of libvirt's virerror.c, save that failures
/// to read, write, open and parse do not speak of configuration files.
struct ErrorKind {
    ErrorCode code;
    std::string_view phrase;
    const char* native_name;
};

/// All rows, each code exactly once.
std::span<const ErrorKind> error_kinds() noexcept;
/// The row of `code`; an unknown code has the row of ErrorCode::internal.
const ErrorKind& error_kind(ErrorCode code) noexcept;

/// The one exception of this project. `what()` says what was asked, what was found and what was
/// expected, without the code's phrase; `phrased()` puts the phrase first.
class Error : public std::exception {
  public:
    template <class... A>
    Error(ErrorCode code, fmt::format_string<A...> text, A&&... args)
        : code_(code), message_(fmt::format(text, std::forward<A>(args)...)) {}

    ErrorCode code() const noexcept { return code_; }

    const char* what() const noexcept override { return message_.c_str(); }

    /// `Domain not found: no domain with matching name 'x'`. libvirt gives system errors no phrase.
    std::string phrased() const;
    /// Puts the step that failed before the message; once per layer.
    Error& within(std::string_view step);

  private:
    ErrorCode code_;
    std::string message_;
};

/// Throws system_error `<what>: <strerror>` where `result` is a negative errno, as libsystemd
/// returns them; otherwise gives `result` back.
int check(int result, std::string_view what);
/// The same for calls that return -1 and set errno.
int check_errno(int result, std::string_view what);

} // namespace vireo
