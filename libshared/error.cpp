// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace vireo {

namespace {

constexpr std::array kinds{
    ErrorKind{ErrorCode::internal, "internal error", "org.vireo.Error.Internal"},
    ErrorKind{ErrorCode::no_memory, "out of memory", "org.vireo.Error.NoMemory"},
    ErrorKind{ErrorCode::no_support,
              "this function is not supported by the connection driver",
              "org.vireo.Error.NotSupported"},
    ErrorKind{ErrorCode::no_connect,
              "no connection driver available for {}",
              "org.vireo.Error.NoConnect"},
    ErrorKind{ErrorCode::invalid_arg, "invalid argument", "org.vireo.Error.InvalidArgument"},
    ErrorKind{ErrorCode::operation_failed, "operation failed", "org.vireo.Error.OperationFailed"},
    ErrorKind{ErrorCode::os_type, "unknown OS type {}", "org.vireo.Error.UnknownOsType"},
    ErrorKind{ErrorCode::no_name, "missing name information in {}", "org.vireo.Error.NoName"},
    ErrorKind{ErrorCode::xml_error, "XML error", "org.vireo.Error.Xml"},
    ErrorKind{ErrorCode::domain_exists, "domain {} exists already", "org.vireo.Error.DomainExists"},
    ErrorKind{
        ErrorCode::operation_denied, "operation forbidden", "org.vireo.Error.OperationDenied"},
    ErrorKind{ErrorCode::open_failed, "failed to open", "org.vireo.Error.OpenFailed"},
    ErrorKind{ErrorCode::read_failed, "failed to read", "org.vireo.Error.ReadFailed"},
    ErrorKind{ErrorCode::parse_failed, "failed to parse", "org.vireo.Error.ParseFailed"},
    ErrorKind{ErrorCode::write_failed, "failed to write", "org.vireo.Error.WriteFailed"},
    ErrorKind{ErrorCode::system_error, "", "org.vireo.Error.System"},
    ErrorKind{ErrorCode::no_domain, "Domain not found", "org.vireo.Error.NoDomain"},
    ErrorKind{ErrorCode::no_network, "Network not found", "org.vireo.Error.NoNetwork"},
    ErrorKind{
        ErrorCode::auth_failed, "authentication failed", "org.vireo.Error.AuthenticationFailed"},
    ErrorKind{
        ErrorCode::no_storage_pool, "Storage pool not found", "org.vireo.Error.NoStoragePool"},
    ErrorKind{
        ErrorCode::no_storage_vol, "Storage volume not found", "org.vireo.Error.NoStorageVol"},
    ErrorKind{ErrorCode::no_node_device, "Node device not found", "org.vireo.Error.NoNodeDevice"},
    ErrorKind{ErrorCode::operation_invalid,
              "Requested operation is not valid",
              "org.vireo.Error.OperationInvalid"},
    ErrorKind{ErrorCode::no_interface, "Interface not found", "org.vireo.Error.NoInterface"},
    ErrorKind{ErrorCode::no_nwfilter, "Network filter not found", "org.vireo.Error.NoNWFilter"},
    ErrorKind{ErrorCode::no_secret, "Secret not found", "org.vireo.Error.NoSecret"},
    ErrorKind{ErrorCode::config_unsupported,
              "unsupported configuration",
              "org.vireo.Error.ConfigUnsupported"},
    ErrorKind{
        ErrorCode::operation_timeout, "Timed out during operation", "org.vireo.Error.Timeout"},
    ErrorKind{ErrorCode::no_domain_snapshot,
              "Domain snapshot not found",
              "org.vireo.Error.NoDomainSnapshot"},
    ErrorKind{ErrorCode::argument_unsupported,
              "argument unsupported",
              "org.vireo.Error.ArgumentUnsupported"},
    ErrorKind{ErrorCode::storage_pool_built,
              "Storage pool already built",
              "org.vireo.Error.StoragePoolBuilt"},
    ErrorKind{ErrorCode::operation_aborted, "operation aborted", "org.vireo.Error.Aborted"},
    ErrorKind{ErrorCode::no_domain_metadata, "metadata not found", "org.vireo.Error.NoMetadata"},
    ErrorKind{ErrorCode::overflow, "numerical overflow", "org.vireo.Error.Overflow"},
    ErrorKind{ErrorCode::operation_unsupported,
              "Operation not supported",
              "org.vireo.Error.OperationUnsupported"},
    ErrorKind{ErrorCode::agent_unresponsive,
              "Guest agent is not responding",
              "org.vireo.Error.AgentUnresponsive"},
    // All that is busy, natively, is a device that the host or a guest has.
    ErrorKind{ErrorCode::resource_busy, "resource busy", "org.vireo.Error.DeviceInUse"},
    ErrorKind{ErrorCode::access_denied, "access denied", "org.vireo.Error.AccessDenied"},
    ErrorKind{ErrorCode::storage_vol_exists,
              "storage volume {} exists already",
              "org.vireo.Error.StorageVolExists"},
    ErrorKind{ErrorCode::cpu_incompatible,
              "the CPU is incompatible with host CPU",
              "org.vireo.Error.CpuIncompatible"},
    ErrorKind{ErrorCode::xml_invalid_schema,
              "XML document failed to validate against schema",
              "org.vireo.Error.XmlInvalidSchema"},
    ErrorKind{ErrorCode::device_missing, "device not found", "org.vireo.Error.DeviceMissing"},
};

} // namespace

std::span<const ErrorKind> error_kinds() noexcept {
    return kinds;
}

const ErrorKind& error_kind(ErrorCode code) noexcept {
    const auto* found = std::ranges::find(kinds, code, &ErrorKind::code);
    return found == kinds.end() ? kinds.front() : *found;
}

std::string Error::phrased() const {
    const std::string_view phrase = error_kind(code_).phrase;
    const auto place = phrase.find("{}");
    if (place != std::string_view::npos) {
        return fmt::format("{}{}{}", phrase.substr(0, place), message_, phrase.substr(place + 2));
    }
    return phrase.empty() ? message_ : fmt::format("{}: {}", phrase, message_);
}

Error& Error::within(std::string_view step) {
    message_ = fmt::format("{}: {}", step, message_);
    return *this;
}

int check(int result, std::string_view what) {
    if (result < 0) {
        throw Error(
            ErrorCode::system_error, "{}: {}", what, std::generic_category().message(-result));
    }
    return result;
}

int check_errno(int result, std::string_view what) {
    return check(result == -1 ? -errno : result, what);
}

} // namespace vireo
