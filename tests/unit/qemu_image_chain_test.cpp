// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/domain_summary.hpp"
#include "qemu-driver/launch/image_chain.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;
using nlohmann::json;

namespace {

DiskImage top() {
    DiskImage image;
    image.source = FileSource{.path = "/images/top.qcow2", .fdgroup = {}};
    image.format = DiskFormat::qcow2;
    return image;
}

} // namespace

TEST_CASE("an image without a base is the end of its chain") {
    DiskImage image = top();
    adopt_chain(image, json::parse(R"([{"filename":"/images/top.qcow2","format":"qcow2"}])"));
    REQUIRE(image.backing);
    CHECK(image.backing->is_empty());
}

TEST_CASE("a chain has the formats that its images record") {
    DiskImage image = top();
    adopt_chain(image, json::parse(R"([
        {"filename":"/images/top.qcow2","format":"qcow2","backing-filename":"middle",
         "full-backing-filename":"/images/middle","backing-filename-format":"qcow2"},
        {"filename":"/images/middle","format":"qcow2","backing-filename":"/images/base",
         "full-backing-filename":"/images/base","backing-filename-format":"raw"},
        {"filename":"/images/base","format":"raw"}])"));
    const DiskImage* middle = image.base();
    REQUIRE(middle != nullptr);
    CHECK(local_path(*middle) == "/images/middle");
    CHECK(middle->format == DiskFormat::qcow2);
    const DiskImage* base = middle->base();
    REQUIRE(base != nullptr);
    CHECK(local_path(*base) == "/images/base");
    CHECK(base->format == DiskFormat::raw);
    REQUIRE(base->backing);
    CHECK(base->backing->is_empty());
}

TEST_CASE("a base without a recorded format is taken only where it leads nowhere") {
    json infos = json::parse(R"([
        {"filename":"/images/top.qcow2","format":"qcow2","full-backing-filename":"/images/base"},
        {"filename":"/images/base","format":"qcow2"}])");
    DiskImage image = top();
    adopt_chain(image, infos);
    CHECK(image.base()->format == DiskFormat::qcow2);

    json with_base = infos;
    with_base[1]["backing-filename"] = "/etc/shadow";
    DiskImage refused = top();
    CHECK_THROWS_WITH_AS(adopt_chain(refused, with_base),
                         doctest::Contains("does not say the format of '/images/base'"),
                         Error);

    infos[1]["format-specific"]["data"]["data-file"] = "/etc/shadow";
    refused = top();
    CHECK_THROWS_AS(adopt_chain(refused, infos), Error);
}

TEST_CASE("what only a protocol can reach is left to QEMU") {
    DiskImage image = top();
    adopt_chain(image, json::parse(R"([
        {"filename":"/images/top.qcow2","format":"qcow2",
         "full-backing-filename":"nbd://host/export","backing-filename-format":"raw"},
        {"filename":"nbd://host/export","format":"raw"}])"));
    CHECK_FALSE(image.backing);
}

TEST_CASE("a chain may be long, but not without end") {
    json infos = json::array();
    for (int i = 0; i < 200; ++i) {
        json info;
        info["filename"] = "/images/" + std::to_string(i);
        info["format"] = "qcow2";
        info["backing-filename-format"] = "qcow2";
        info["full-backing-filename"] = "/images/" + std::to_string(i + 1);
        infos.push_back(std::move(info));
    }
    DiskImage image = top();
    adopt_chain(image, infos);
    std::size_t length = 0;
    for (const DiskImage* one = &image; one != nullptr; one = one->base()) {
        ++length;
    }
    CHECK(length == 200);
    for (int i = 0; i < 100; ++i) {
        infos.push_back(infos[0]);
    }
    DiskImage refused = top();
    CHECK_THROWS_AS(adopt_chain(refused, infos), Error);
}
