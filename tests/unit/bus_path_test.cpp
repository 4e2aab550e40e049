// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/path.hpp"

#include <doctest/doctest.h>

using namespace vireo::bus;

TEST_CASE("names become path elements as libvirt-dbus makes them") {
    CHECK(encode_path_element("pci_0000_00_1f_2") == "pci_5f0000_5f00_5f1f_5f2");
    CHECK(encode_path_element("/images/a.img") == "_2fimages_2fa_2eimg");
    CHECK(encode_path_element("\xc3\xa4") == "_c3_a4");
    CHECK(encode_path_element("").empty());
}

TEST_CASE("a path element leads back to the name, and no second one does") {
    for (const std::string name : {"computer", "/images/a b.img", "\xc3\xa4", "_"}) {
        CHECK(decode_path_element(encode_path_element(name)) == name);
    }
    for (const char* element : {"_", "_2", "a_2", "_2F", "_zz", "a/b", "_61", "a-b"}) {
        CAPTURE(std::string(element));
        CHECK_FALSE(decode_path_element(element).has_value());
    }
}

TEST_CASE("UUIDs become path elements and back") {
    const std::string uuid = "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2";
    CHECK(encode_uuid(uuid) == "_70a7eb15_6c34_ee9c_bf57_69e8e5ff3fb2");
    CHECK(decode_uuid(encode_uuid(uuid)) == uuid);
    CHECK_FALSE(decode_uuid(uuid).has_value());
    CHECK_FALSE(decode_uuid("_70a7eb15").has_value());
}
