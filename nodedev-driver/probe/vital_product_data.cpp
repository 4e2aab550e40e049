// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/vital_product_data.hpp"

#include <algorithm>
#include <string>

namespace vireo::nodedev {

namespace {

enum Tag : unsigned {
    end_tag = 0x0f,
    identifier_tag = 0x02,
    read_only_tag = 0x10,
    read_write_tag = 0x11
};

constexpr size_t keyword_header = 3;

unsigned at(std::string_view bytes, size_t offset) {
    return static_cast<unsigned char>(bytes[offset]);
}

/// What the specification allows in a text field; others are shown as nothing.
bool is_text(std::string_view value) {
    return std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string trimmed(std::string_view value) {
    constexpr std::string_view blanks(" \0", 2);
    const auto first = value.find_first_not_of(blanks);
    return first == std::string_view::npos
               ? std::string()
               : std::string(value.substr(first, value.find_last_not_of(blanks) - first + 1));
}

/// Everything from the first byte to the checksum adds up to 0.
bool sum_is_right(std::string_view bytes) {
    unsigned sum = 0;
    for (const char c : bytes) {
        sum += static_cast<unsigned char>(c);
    }
    return (sum & 0xff) == 0;
}

void add_vendor_field(std::vector<VpdField>& fields, char index, std::string value) {
    fields.push_back({.index = std::string(1, index), .value = std::move(value)});
}

void add_read_only(VpdReadOnly& fields, std::string_view keyword, std::string value) {
    if (keyword == "EC") {
        fields.change_level = std::move(value);
    } else if (keyword == "MN") {
        fields.manufacture_id = std::move(value);
    } else if (keyword == "PN") {
        fields.part_number = std::move(value);
    } else if (keyword == "SN") {
        fields.serial_number = std::move(value);
    } else if (keyword[0] == 'V') {
        add_vendor_field(fields.vendor_fields, keyword[1], std::move(value));
    }
}

void add_read_write(VpdReadWrite& fields, std::string_view keyword, std::string value) {
    if (keyword == "YA") {
        fields.asset_tag = std::move(value);
    } else if (keyword[0] == 'V') {
        add_vendor_field(fields.vendor_fields, keyword[1], std::move(value));
    } else if (keyword[0] == 'Y') {
        add_vendor_field(fields.system_fields, keyword[1], std::move(value));
    }
}

/// Two letters, a length, the value, until the resource ends or the rest is reserved (RV, RW).
/// False where a field reaches past the end, or the checksum in RV is wrong.
template <class Add>
bool read_fields(std::string_view bytes, size_t offset, size_t end, Add add) {
    while (offset + keyword_header <= end) {
        const std::string_view keyword = bytes.substr(offset, 2);
        const size_t length = at(bytes, offset + 2);
        const size_t value = offset + keyword_header;
        if (value + length > end) {
            return false;
        }
        if (keyword == "RV") {
            return length > 0 && sum_is_right(bytes.substr(0, value + 1));
        }
        if (keyword == "RW") {
            return true;
        }
        const std::string text = trimmed(bytes.substr(value, length));
        if (!text.empty() && is_text(text)) {
            add(keyword, text);
        }
        offset = value + length;
    }
    return true;
}

} // namespace

std::optional<VitalProductData> parse_vital_product_data(std::string_view bytes) {
    VitalProductData vpd;
    size_t offset = 0;
    while (offset < bytes.size()) {
        const unsigned first = at(bytes, offset);
        const bool large = (first & 0x80) != 0;
        const unsigned tag = large ? first & 0x7f : first >> 3;
        if (!large && tag == end_tag) {
            break;
        }
        if (large && offset + 3 > bytes.size()) {
            return std::nullopt;
        }
        const size_t length =
            large ? at(bytes, offset + 1) | at(bytes, offset + 2) << 8 : first & 7;
        const size_t begin = offset + (large ? 3 : 1);
        const size_t end = begin + length;
        if (end > bytes.size()) {
            return std::nullopt;
        }
        bool good = true;
        if (large && tag == identifier_tag) {
            vpd.name = trimmed(bytes.substr(begin, length));
            good = is_text(vpd.name);
        } else if (large && tag == read_only_tag) {
            auto& fields = vpd.read_only.emplace();
            good =
                read_fields(bytes, begin, end, [&fields](std::string_view keyword, std::string v) {
                    add_read_only(fields, keyword, std::move(v));
                });
        } else if (large && tag == read_write_tag) {
            auto& fields = vpd.read_write.emplace();
            good =
                read_fields(bytes, begin, end, [&fields](std::string_view keyword, std::string v) {
                    add_read_write(fields, keyword, std::move(v));
                });
        } else {
            good = false;
        }
        if (!good) {
            return std::nullopt;
        }
        offset = end;
    }
    return vpd.name.empty() ? std::nullopt : std::optional(std::move(vpd));
}

bool has_vital_product_data(const Sysfs& sysfs, const std::string& path) {
    return sysfs.link_name(path + "/subsystem") == "pci" && sysfs.exists(path + "/vpd");
}

std::optional<VitalProductData> read_vpd(const Sysfs& sysfs, const std::string& path) {
    constexpr size_t most = 32 * 1024; // what 15 bits address
    return parse_vital_product_data(sysfs.bytes(path + "/vpd", most));
}

} // namespace vireo::nodedev
