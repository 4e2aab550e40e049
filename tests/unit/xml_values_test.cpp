// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/values.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace vireo;

namespace {

enum class Colour { none, red, green };

/// The value, or what is wrong with the text.
template <class T, class Codec = xml::Value<T>>
std::string read(std::string_view text, Codec codec = {}) {
    T value{};
    std::string wrong = codec.parse(text, value);
    if (!wrong.empty()) {
        return wrong;
    }
    std::string out;
    codec.format(value, out);
    return out;
}

template <class T = std::uint64_t, class Codec>
std::string sized(Codec codec, std::string_view text, std::string_view unit) {
    T value{};
    std::string wrong = codec.parse(text, unit, value);
    return wrong.empty() ? std::to_string(value) : wrong;
}

} // namespace

template <>
struct vireo::xml::EnumNames<Colour> {
    static constexpr std::array<std::string_view, 3> names{"", "red", "green"};
};

TEST_CASE("whole numbers of every width keep their range") {
    CHECK(read<std::uint8_t>("255") == "255");
    CHECK(read<std::uint8_t>("256") == "is not a whole number from 0 to 255");
    CHECK(read<std::int8_t>("-128") == "-128");
    CHECK(read<std::int8_t>("-129") == "is not a whole number from -128 to 127");
    CHECK(read<std::int8_t>("128") == "is not a whole number from -128 to 127");
    CHECK(read<std::uint16_t>("65536") == "is not a whole number from 0 to 65535");
    CHECK(read<std::int32_t>("-2147483648") == "-2147483648");
    CHECK(read<std::uint64_t>("18446744073709551615") == "18446744073709551615");
    CHECK(read<std::uint64_t>("18446744073709551616") ==
          "is not a whole number from 0 to 18446744073709551615");
    CHECK(read<std::int64_t>("-9223372036854775808") == "-9223372036854775808");
    CHECK(read<std::int64_t>("9223372036854775808").starts_with("is not a whole number"));
}

TEST_CASE("only digits, a sign and white space around make a number") {
    CHECK(read<unsigned>(" \n12\t") == "12");
    CHECK(read<unsigned>("+12") == "12");
    CHECK(read<int>("+12") == "12");
    for (const char* bad :
         {"", " ", "-1", "1 2", "0x10", "1.0", "1e3", "++1", "+-1", "twelve", "+"}) {
        CAPTURE(bad);
        CHECK(read<unsigned>(bad) == "is not a whole number from 0 to 4294967295");
    }
    CHECK(read<int>("+-1") == "is not a whole number from -2147483648 to 2147483647");
}

TEST_CASE("hexadecimal is written at its width and read as C reads numbers") {
    CHECK(read<unsigned>("0x1F", xml::hex<4>) == "0x001f");
    CHECK(read<unsigned>("31", xml::hex<2>) == "0x1f");
    CHECK(read<unsigned>("037", xml::hex<2>) == "0x1f");
    CHECK(read<unsigned>("0", xml::hex<1>) == "0x0");
    CHECK(read<unsigned>("0xffffffff", xml::hex<1>) == "0xffffffff");
    CHECK(read<unsigned>("0x100000000", xml::hex<1>) == "is not a number from 0 to 0xffffffff");
    CHECK(read<std::uint16_t>("0x10000", xml::hex<4>) == "is not a number from 0 to 0xffff");
    for (const char* bad : {"", "0x", "x1", "0x-1", "-0x1", "1f", "08", "0x1g"}) {
        CAPTURE(bad);
        CHECK(read<unsigned>(bad, xml::hex<1>) == "is not a number from 0 to 0xffffffff");
    }
    CHECK(read<unsigned>("0x1f", xml::any_base) == "31");
}

TEST_CASE("switches know their two words only") {
    CHECK(read<bool>("yes") == "yes");
    CHECK(read<bool>("no") == "no");
    CHECK(read<bool>("on") == "is not one of yes, no");
    CHECK(read<bool>("off", xml::on_off) == "off");
    CHECK(read<bool>("true", xml::on_off) == "is not one of on, off");
}

TEST_CASE("enumerations are read by their table, where an empty word is none") {
    CHECK(read<Colour>("green") == "green");
    CHECK(read<Colour>("Green") == "is not one of red, green");
    CHECK(read<Colour>("") == "is not one of red, green");
    CHECK(xml::name_of(Colour::none).empty());
    CHECK(xml::name_of(static_cast<Colour>(17)).empty());
    CHECK(xml::enum_of<Colour>("red") == Colour::red);
    CHECK_FALSE(xml::enum_of<Colour>(""));
}

TEST_CASE("sizes are scaled by their unit and rounded up to what is stored") {
    CHECK(sized(xml::kib, "512", "") == "512");
    CHECK(sized(xml::kib, "512", "KiB") == "512");
    CHECK(sized(xml::kib, "512", "k") == "512");
    CHECK(sized(xml::kib, "1", "bytes") == "1");
    CHECK(sized(xml::kib, "1024", "b") == "1");
    CHECK(sized(xml::kib, "1025", "byte") == "2");
    CHECK(sized(xml::kib, "0", "EiB") == "0");
    CHECK(sized(xml::kib, "1", "KB") == "1");
    CHECK(sized(xml::kib, "1", "MB") == "977");
    CHECK(sized(xml::kib, "1", "m") == "1024");
    CHECK(sized(xml::kib, "3", "GiB") == "3145728");
    CHECK(sized(xml::kib, "2", "tib") == "2147483648");
    CHECK(sized(xml::kib, "1", "P") == "1099511627776");
    CHECK(sized(xml::kib, "15", "EiB") == "16888498602639360");
    CHECK(sized(xml::bytes, "7", "") == "7");
    CHECK(sized(xml::bytes, "7", "kB") == "7000");
    CHECK(sized(xml::mib_or_bytes, "4194305", "") == "5");
    CHECK(sized(xml::mib_or_bytes, "4", "M") == "4");
}

TEST_CASE("sizes that do not fit or have no known unit are refused") {
    CHECK(sized(xml::kib, "16", "EiB") ==
          "in units of 1152921504606846976 bytes is more than 18446744073709551615 bytes");
    CHECK(sized<std::uint32_t>(xml::kib, "4", "TiB") ==
          "in units of 1099511627776 bytes is more than 4294967295 units of 1024");
    CHECK(sized(xml::kib, "18446744073709551615", "") ==
          "in units of 1024 bytes is more than 18446744073709551615 bytes");
    for (const char* unit : {"x", "KiBs", "K B", "bit", "iB", "KiB ", "ki"}) {
        CAPTURE(unit);
        CHECK(sized(xml::kib, "1", unit)
                  .starts_with("has the unit '" + std::string(unit) + "', which"));
    }
    CHECK(sized(xml::kib, "-1", "KiB") == "is not a whole number from 0 to 18446744073709551615");
}

TEST_CASE("UUIDs are read with and without dashes, and written in one form") {
    const std::string uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
    CHECK(read<std::string>(uuid, xml::uuid) == uuid);
    CHECK(read<std::string>("C7A5FDBDEDAF9455926AD65C16DB1809", xml::uuid) == uuid);
    CHECK(read<std::string>(" " + uuid + "\n", xml::uuid) == uuid);
    for (const char* bad : {"",
                            "c7a5fdbd-edaf-9455-926a-d65c16db180",
                            "c7a5fdbd-edaf-9455-926a-d65c16db18099",
                            "c7a5fdbd-edaf-9455-926a-d65c16db180g",
                            "c7a5fdbde-daf-9455-926a-d65c16db1809",
                            "{7a5fdbd-edaf-9455-926a-d65c16db1809"}) {
        CAPTURE(bad);
        CHECK(read<std::string>(bad, xml::uuid) ==
              "is not a UUID (hexadecimal digits as 8-4-4-4-12)");
    }
}

TEST_CASE("MAC addresses are written with two lower-case digits an octet") {
    CHECK(read<std::string>("52:54:0:A:b:0c", xml::mac) == "52:54:00:0a:0b:0c");
    for (const char* bad : {"",
                            "52:54:00:0a:0b",
                            "52:54:00:0a:0b:0c:0d",
                            "52-54-00-0a-0b-0c",
                            "52:54:00:0a:0b:",
                            "52:54:00:0a:0b:0cc",
                            "52:54:000:0a:0b:0c",
                            "5g:54:00:0a:0b:0c"}) {
        CAPTURE(bad);
        CHECK(read<std::string>(bad, xml::mac) == "is not a MAC address like 52:54:00:01:02:03");
    }
}
