// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "nodedev-driver/model/mdevctl.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::nodedev;

namespace {

using Words = std::vector<std::string>;

const std::string uuid = "783e6dbb-ea0e-411f-94e2-717eaad438bf";

MdevCapability matrix() {
    MdevCapability mdev;
    mdev.type_id = "vfio_ap-passthrough";
    mdev.uuid = uuid;
    mdev.attributes = {{"assign_domain", "4"}, {"assign_adapter", "5"}, {"assign_domain", "0xab"}};
    return mdev;
}

} // namespace

TEST_CASE("a device is made with its attributes in order, on standard input") {
    CHECK(mdevctl_command(MdevAction::create, matrix(), "matrix") ==
          MdevctlCommand{.words = {"mdevctl",
                                   "start",
                                   "--parent=matrix",
                                   "--jsonfile=/dev/stdin",
                                   "--uuid=" + uuid},
                         .input = R"({"mdev_type":"vfio_ap-passthrough","start":"manual",)"
                                  R"("attrs":[{"assign_domain":"4"},{"assign_adapter":"5"},)"
                                  R"({"assign_domain":"0xab"}]})"});
    MdevCapability plain;
    plain.type_id = "t";
    CHECK(mdevctl_command(MdevAction::define, plain, "0000:00:02.0") ==
          MdevctlCommand{
              .words = {"mdevctl", "define", "--parent=0000:00:02.0", "--jsonfile=/dev/stdin"},
              .input = R"({"mdev_type":"t","start":"manual"})"});
}

TEST_CASE("what is stored is known by its UUID") {
    const auto words = [](MdevAction action) {
        return mdevctl_command(action, matrix(), "matrix").words;
    };
    CHECK(words(MdevAction::start) == Words{"mdevctl", "start", "--uuid=" + uuid});
    CHECK(words(MdevAction::stop) == Words{"mdevctl", "stop", "--uuid=" + uuid});
    CHECK(words(MdevAction::undefine) == Words{"mdevctl", "undefine", "--uuid=" + uuid});
}

TEST_CASE("a list names parents by the form of their addresses") {
    const auto found = parse_mdevctl_list(R"([{"0000:00:02.0": [{"u1": {"mdev_type": "a",
        "start": "auto", "attrs": [{"x": "1"}, {"y": "2"}]}}, {"u2": {"mdev_type": "b"}}],
        "matrix": [{"u3": {"mdev_type": "c"}}], "0.0.0052": [{"u4": {"mdev_type": "d"}}],
        "other": [{"u5": {"mdev_type": "e"}}]}])");
    REQUIRE(found.size() == 5);
    CHECK(found[0].name == "mdev_u1_0000_00_02_0");
    CHECK(found[0].parent == "pci_0000_00_02_0");
    CHECK(std::get<MdevCapability>(found[0].capability).attributes ==
          std::vector<MdevAttribute>{{"x", "1"}, {"y", "2"}});
    CHECK(found[1].name == "mdev_u2_0000_00_02_0");
    CHECK(found[2].parent == "ap_matrix");
    CHECK(found[3].parent == "css_0_0_0052");
    CHECK(found[4].parent == "computer");
    for (const char* text : {"[]", "[{}]", "", " \n"}) { // nothing is defined
        CAPTURE(std::string(text));
        CHECK(parse_mdevctl_list(text).empty());
    }
    for (const char* text : {"x", "[{", R"([{"p": [{"u": {}}]}])", R"([{"p": [{"u": 1}]}])"}) {
        CAPTURE(std::string(text));
        CHECK_THROWS_AS(parse_mdevctl_list(text), Error);
    }
}
