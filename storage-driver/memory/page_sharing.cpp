// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/memory/page_sharing.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "libshared/files.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace vireo::storage {

namespace {

struct Parameter {
    std::string_view name;
    std::string_view file;
    bool wide;
    bool writable;
};

constexpr std::array parameters{
    Parameter{"shm_pages_to_scan", "pages_to_scan", false, true},
    Parameter{"shm_sleep_millisecs", "sleep_millisecs", false, true},
    Parameter{"shm_pages_shared", "pages_shared", true, false},
    Parameter{"shm_pages_sharing", "pages_sharing", true, false},
    Parameter{"shm_pages_unshared", "pages_unshared", true, false},
    Parameter{"shm_pages_volatile", "pages_volatile", true, false},
    Parameter{"shm_full_scans", "full_scans", true, false},
    Parameter{"shm_merge_across_nodes", "merge_across_nodes", false, true},
};

std::string path_of(const std::string& prefix, const Parameter& parameter) {
    return fmt::format("{}/sys/kernel/mm/ksm/{}", prefix, parameter.file);
}

const Parameter& writable_parameter(std::string_view name) {
    const auto* found = std::ranges::find(parameters, name, &Parameter::name);
    if (found == parameters.end()) {
        throw Error(ErrorCode::invalid_arg, "no memory parameter is called '{}'", name);
    }
    if (!found->writable) {
        throw Error(ErrorCode::invalid_arg,
                    "memory parameter '{}' is a counter of the kernel and cannot be set",
                    name);
    }
    return *found;
}

} // namespace

std::vector<PageSharingParameter> page_sharing_parameters(const std::string& prefix) {
    std::vector<PageSharingParameter> found;
    for (const Parameter& parameter : parameters) {
        const auto text = read_file_if_exists(path_of(prefix, parameter));
        uint64_t value = 0;
        if (text &&
            std::from_chars(text->data(), text->data() + text->size(), value).ec == std::errc()) {
            found.push_back({std::string(parameter.name), value, parameter.wide});
        }
    }
    return found;
}

void check_page_sharing(const std::string& prefix, std::string_view name, uint64_t value) {
    const std::string path = path_of(prefix, writable_parameter(name));
    if (value > UINT32_MAX) {
        throw Error(
            ErrorCode::invalid_arg, "memory parameter '{}': {} is more than 32 bits", name, value);
    }
    if (::access(path.c_str(), F_OK) != 0) {
        throw Error(ErrorCode::operation_invalid,
                    "parameter '{}' is not supported by this kernel (no '{}')",
                    name,
                    path);
    }
}

void set_page_sharing(const std::string& prefix, std::string_view name, uint64_t value) {
    check_page_sharing(prefix, name, value);
    const std::string path = path_of(prefix, writable_parameter(name));
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const std::string text = fmt::format("{}", value);
    if (!fd || ::write(fd.get(), text.data(), text.size()) < 0) {
        throw Error(ErrorCode::operation_failed,
                    "set memory parameter '{}' to {}: {}",
                    name,
                    value,
                    std::generic_category().message(errno));
    }
}

} // namespace vireo::storage
