// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/sysfs.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace vireo {

namespace fs = std::filesystem;

namespace {

/// sysfs attributes are one page; udev's records and uevents a few.
constexpr size_t text_limit = 64 * 1024;

std::string read_bytes(const fs::path& path, size_t limit) {
    std::string data;
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        return data;
    }
    char buffer[4096];
    while (data.size() < limit) {
        const ssize_t got = ::read(fd.get(), buffer, std::min(sizeof buffer, limit - data.size()));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        data.append(buffer, static_cast<size_t>(got));
    }
    return data;
}

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
            out += c;
        }
    }
    const auto first = out.find_first_not_of(' ');
    if (first == std::string::npos) {
        return {};
    }
    return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

std::optional<uint32_t> decimal(std::string_view text) {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

} // namespace

std::optional<int64_t> parse_number(std::string_view text, int base) {
    const std::string copy(text);
    char* end = nullptr;
    errno = 0;
    const int64_t value = std::strtoll(copy.c_str(), &end, base);
    if (copy.empty() || errno != 0 || *end != '\0') {
        return std::nullopt;
    }
    return value;
}

Sysfs::Sysfs(fs::path prefix) {
    // A prefix that is a link would make resolved paths look as if they had left it.
    std::error_code failed;
    prefix_ = prefix.empty() ? prefix : fs::weakly_canonical(prefix, failed);
}

fs::path Sysfs::at(std::string_view path) const {
    return prefix_.empty() ? fs::path(path) : fs::path(prefix_.native() + std::string(path));
}

std::optional<std::string> Sysfs::text(std::string_view path) const {
    std::string value = printable(read_bytes(at(path), text_limit));
    if (value.empty()) {
        return std::nullopt;
    }
    return value;
}

std::optional<int64_t> Sysfs::number(std::string_view path, int base) const {
    const auto value = text(path);
    return value ? parse_number(*value, base) : std::nullopt;
}

std::string Sysfs::bytes(std::string_view path, size_t limit) const {
    return read_bytes(at(path), limit);
}

std::optional<std::string> Sysfs::link_name(std::string_view path) const {
    std::error_code failed;
    const fs::path target = fs::read_symlink(at(path), failed);
    if (failed || target.filename().empty()) {
        return std::nullopt;
    }
    return target.filename().string();
}

std::optional<std::string> Sysfs::resolve(std::string_view path) const {
    std::error_code failed;
    const std::string real = fs::canonical(at(path), failed).string();
    if (failed || !real.starts_with(prefix_.native())) {
        return std::nullopt;
    }
    return real.substr(prefix_.native().size());
}

bool Sysfs::exists(std::string_view path) const {
    std::error_code failed;
    return fs::exists(at(path), failed);
}

std::vector<std::string> Sysfs::names(std::string_view path) const {
    std::vector<std::string> found;
    std::error_code failed;
    for (fs::directory_iterator entry(at(path), failed), end; !failed && entry != end;
         entry.increment(failed)) {
        found.push_back(entry->path().filename().string());
    }
    std::ranges::sort(found);
    return found;
}

void Sysfs::write(std::string_view path, std::string_view text) const {
    const std::string what = fmt::format("write '{}' to '{}'", printable(text), path);
    const Fd fd(::open(at(path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    check_errno(fd.get(), what);
    // An attribute takes all in one call, or refuses it.
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    check_errno(written < 0 ? -1 : 0, what);
}

std::vector<uint32_t> Sysfs::numbered(std::string_view path, std::string_view prefix) const {
    std::vector<uint32_t> numbers;
    for (const std::string& name : names(path)) {
        if (name.starts_with(prefix)) {
            if (const auto number = decimal(std::string_view(name).substr(prefix.size()))) {
                numbers.push_back(*number);
            }
        }
    }
    std::ranges::sort(numbers);
    return numbers;
}

std::vector<uint32_t> numbers_in(std::string_view list) {
    constexpr uint32_t most = 65536; // CPUs or nodes: far more than Linux knows
    std::vector<uint32_t> numbers;
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto part = list.substr(0, comma);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        const auto dash = part.find('-');
        const auto first = decimal(part.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : decimal(part.substr(dash + 1));
        if (!first || !last || *last >= most) {
            return {};
        }
        for (uint32_t n = *first; n <= *last; ++n) {
            numbers.push_back(n);
        }
    }
    return numbers;
}

std::string host_tree() {
    const char* folder = ::secure_getenv("VIREO_HOST_TREE");
    return folder == nullptr ? "" : folder;
}

} // namespace vireo
