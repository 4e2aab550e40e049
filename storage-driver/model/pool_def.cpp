// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/model/pool_def.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "libshared/xml/parse.hpp"
#include "storage-driver/model/volume_def.hpp"

#include <fmt/format.h>

#include <sys/random.h>

#include <array>

namespace vireo::storage {

namespace {

std::string uuid_text(std::string_view digits) {
    return fmt::format("{}-{}-{}-{}-{}",
                       digits.substr(0, 8),
                       digits.substr(8, 4),
                       digits.substr(12, 4),
                       digits.substr(16, 4),
                       digits.substr(20));
}

void check_pool(const PoolDef& pool) {
    if (pool.type != PoolType::dir) {
        throw Error(ErrorCode::config_unsupported,
                    "pool '{}': type '{}' is not supported, only 'dir' is",
                    pool.name,
                    xml::name_of(pool.type));
    }
    check_file_name("pool", pool.name);
    if (!pool.target.path) {
        throw Error(ErrorCode::xml_error, "pool '{}': target/path is missing", pool.name);
    }
    if (!pool.target.path->starts_with('/')) {
        throw Error(ErrorCode::xml_error,
                    "pool '{}': target/path '{}' is not absolute",
                    pool.name,
                    *pool.target.path);
    }
}

} // namespace

PoolDef parse_pool(std::string_view text, bool validate) {
    xml::Problems unknowns;
    xml::ParseOptions options;
    options.unknown = validate ? xml::Unknown::refuse : xml::Unknown::report;
    options.unknowns = &unknowns;
    PoolDef pool = xml::parse<PoolDef>(text, options);
    if (pool.target.path) {
        pool.target.path = tidy_path(*pool.target.path);
    }
    check_pool(pool);
    if (pool.uuid.empty()) {
        pool.uuid = make_uuid();
    }
    if (!unknowns.empty()) {
        log::warning("pool '{}': passed over what is not known: {}", pool.name, unknowns.text());
    }
    return pool;
}

std::string format_pool(const PoolDef& pool) {
    return xml::format(pool);
}

std::string tidy_path(std::string_view path) {
    if (!path.starts_with('/')) {
        return std::string(path);
    }
    std::string tidy;
    for (const char c : path) {
        if (c != '/' || tidy.empty() || tidy.back() != '/') {
            tidy += c;
        }
    }
    if (tidy.size() > 1 && tidy.back() == '/') {
        tidy.pop_back();
    }
    return tidy;
}

std::string make_uuid() {
    std::array<unsigned char, 16> bytes{};
    // Cannot fail or be short for so few bytes once the pool is initialized (getrandom(2)).
    check_errno(static_cast<int>(::getrandom(bytes.data(), bytes.size(), 0)), "get random bytes");
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
    std::string digits;
    for (const unsigned char byte : bytes) {
        digits += fmt::format("{:02x}", byte);
    }
    return uuid_text(digits);
}

std::optional<std::string> normal_uuid(std::string_view uuid) {
    std::string digits;
    for (const char c : uuid) {
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
            digits += c;
        } else if (c >= 'A' && c <= 'F') {
            digits += static_cast<char>(c - 'A' + 'a');
        } else if (c != '-') {
            return std::nullopt;
        }
    }
    if (digits.size() != 32) {
        return std::nullopt;
    }
    return uuid_text(digits);
}

} // namespace vireo::storage
