// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/actions/key_codes.hpp"
#include "qemu-driver/actions/send_key.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu::actions;

namespace {

constexpr std::uint32_t linux_set = 0;
constexpr std::uint32_t xt = 1;
constexpr std::uint32_t at_set1 = 2;
constexpr std::uint32_t qnum = 9;

std::string refusal(std::uint32_t set, std::uint32_t code) {
    try {
        qemu_key_number(set, code);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("Linux key codes become QEMU's numbers") {
    CHECK(qemu_key_number(linux_set, 30) == 0x1e);  // KEY_A
    CHECK(qemu_key_number(linux_set, 29) == 0x1d);  // KEY_LEFTCTRL
    CHECK(qemu_key_number(linux_set, 97) == 0x9d);  // KEY_RIGHTCTRL
    CHECK(qemu_key_number(linux_set, 111) == 0xd3); // KEY_DELETE
    CHECK(qemu_key_number(linux_set, 125) == 0xdb); // KEY_LEFTMETA
    CHECK(qemu_key_number(linux_set, 119) == 0xc6); // KEY_PAUSE
}

TEST_CASE("scan codes of set 1 lose their prefix, and XT is the same set") {
    CHECK(qemu_key_number(at_set1, 0x1e) == 0x1e);
    CHECK(qemu_key_number(at_set1, 0xe01d) == 0x9d);
    CHECK(qemu_key_number(xt, 0xe053) == 0xd3);
    CHECK(refusal(xt, 0xe11d) == "cannot translate keycode 57629 of xt codeset to qnum keycode");
}

TEST_CASE("QEMU's own numbers go through") {
    CHECK(qemu_key_number(qnum, 0xd3) == 0xd3);
    CHECK(refusal(qnum, 0x100) == "cannot translate keycode 256 of qnum codeset to qnum keycode");
}

TEST_CASE("a key that QEMU does not have, and other sets, are refused by name") {
    CHECK(refusal(linux_set, 0) == "cannot translate keycode 0 of linux codeset to qnum keycode");
    CHECK(refusal(linux_set, 4000) ==
          "cannot translate keycode 4000 of linux codeset to qnum keycode");
    CHECK(refusal(7, 4) == "codeset 'usb' (7) is not supported: use linux (0), xt (1), atset1 (2) "
                           "or qnum (9)");
    CHECK(refusal(10, 4) == "unsupported codeset 10: there are 0 to 9");
}

TEST_CASE("keys are pressed together, for QEMU's own time unless another is given") {
    KeyPress press;
    press.codes = {29, 56, 111};
    CHECK(send_key_arguments(press).dump() ==
          R"({"keys":[{"data":29,"type":"number"},{"data":56,"type":"number"},)"
          R"({"data":211,"type":"number"}]})");
    press.codes = {30};
    press.hold_ms = 250;
    CHECK(send_key_arguments(press).at("hold-time") == 250);
}

TEST_CASE("between one and sixteen keys are pressed") {
    KeyPress press;
    CHECK_THROWS_AS(send_key_arguments(press), Error);
    press.codes.assign(16, 30);
    CHECK(send_key_arguments(press).at("keys").size() == 16);
    press.codes.push_back(30);
    CHECK_THROWS_AS(send_key_arguments(press), Error);
}
