// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/vital_product_data.hpp"

#include <doctest/doctest.h>

using namespace vireo::nodedev;

namespace {

std::string large(unsigned char tag, const std::string& contents) {
    return std::string{static_cast<char>(0x80 | tag),
                       static_cast<char>(contents.size() & 0xff),
                       static_cast<char>(contents.size() >> 8)} +
           contents;
}

std::string field(const std::string& keyword, const std::string& value) {
    return keyword + static_cast<char>(value.size()) + value;
}

/// With the checksum that makes all bytes up to it add up to zero.
std::string card(const std::string& fields, const std::string& after = {}) {
    std::string vpd = large(0x02, "Some card");
    std::string block = fields + "RV" + std::string("\x02\x00\x00", 3);
    vpd += large(0x10, block);
    unsigned sum = 0;
    for (size_t i = 0; i < vpd.size() - 1; ++i) {
        sum += static_cast<unsigned char>(vpd[i]);
    }
    vpd[vpd.size() - 2] = static_cast<char>(0x100 - (sum & 0xff));
    return vpd + after;
}

const std::string end("\x78", 1);

} // namespace

TEST_CASE("the fields of both parts are read, own ones in their order") {
    const std::string writable = large(
        0x11, field("YA", "asset") + field("V1", "v") + field("YB", "system") + field("RW", "   "));
    const auto vpd = parse_vital_product_data(
        card(field("PN", "P123 ") + field("SN", "S456") + field("EC", "B1") + field("MN", "acme") +
                 field("VA", "own") + field("V0", "second") + field("FG", "ignored"),
             writable + end));
    REQUIRE(vpd.has_value());
    CHECK(vpd->name == "Some card");
    CHECK(vpd->read_only == VpdReadOnly{.change_level = "B1",
                                        .manufacture_id = "acme",
                                        .part_number = "P123",
                                        .serial_number = "S456",
                                        .vendor_fields = {{"A", "own"}, {"0", "second"}}});
    CHECK(vpd->read_write == VpdReadWrite{.asset_tag = "asset",
                                          .vendor_fields = {{"1", "v"}},
                                          .system_fields = {{"B", "system"}}});
}

TEST_CASE("what is no vital product data, or is damaged, is not shown") {
    const std::string good = card(field("PN", "P"), end);
    REQUIRE(parse_vital_product_data(good).has_value());
    std::string wrong_sum = good;
    wrong_sum[4] = 'X';
    CHECK_FALSE(parse_vital_product_data(wrong_sum).has_value());
    CHECK_FALSE(parse_vital_product_data(std::string(16, '\xff')).has_value());
    CHECK_FALSE(parse_vital_product_data(std::string(16, '\0')).has_value());
    CHECK_FALSE(parse_vital_product_data("").has_value());
    for (size_t length = 1; length + end.size() < good.size(); ++length) {
        CAPTURE(length);
        const auto cut = parse_vital_product_data(good.substr(0, length));
        CHECK((!cut || !cut->read_only)); // never a part of the fields
    }
    CHECK_FALSE(parse_vital_product_data(card("PN\x7f"
                                              "x",
                                              end))
                    .has_value());
}

TEST_CASE("fields that are not text are left out") {
    const auto vpd =
        parse_vital_product_data(card(field("PN", "\x01\x02") + field("SN", "S"), end));
    REQUIRE(vpd.has_value());
    CHECK(vpd->read_only->part_number.empty());
    CHECK(vpd->read_only->serial_number == "S");
}
