// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/binding.hpp"
#include "libshared/xml/parse.hpp"
#include "tests/support/xml_sample.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::sample;

TEST_CASE("every kind of field is read, and written back as it was") {
    const auto domain = xml::parse<Domain>(full_document);
    CHECK(xml::format(domain) == full_document);
    CHECK(domain.id == 3);
    CHECK(domain.name == "a <b> & \"c\" 'd'");
    CHECK(domain.memory.kib == 219136);
    CHECK(domain.memory.dump_core == false);
    CHECK(domain.boot == std::vector<std::string>{"hd", "network"});
    CHECK(domain.acpi);
    CHECK_FALSE(domain.apic);
    REQUIRE(domain.disks.size() == 2);
    const Disk& first = domain.disks[0];
    CHECK(first.type == DiskType::file);
    CHECK(std::get<FileSource>(first.source).file == "/a'b");
    CHECK(first.driver.iothread == true);
    CHECK(first.info.alias == "disk0");
    CHECK(first.info.boot == 1U);
    CHECK(first.readonly);
    REQUIRE(first.backing);
    CHECK(first.backing->block_device == "/dev/sda");
    REQUIRE(first.extra.attributes.size() == 1);
    CHECK(first.extra.attributes[0].name == "later");
    REQUIRE(first.extra.elements.size() == 1);
    CHECK(first.extra.elements[0].text == "<future><inner a=\"1\"/></future>");
    CHECK(std::get<NetworkSource>(domain.disks[1].source).hosts.size() == 2);
    REQUIRE(domain.serials.size() == 3);
    CHECK(std::get<Tcp>(domain.serials[0].backend) == Tcp{"h", 65535, true});
    CHECK(domain.serials[0].lanes == std::vector<unsigned>{0, 1});
    CHECK(std::holds_alternative<Pty>(domain.serials[1].backend));
    CHECK(domain.serials[2].backend.index() == 0);
    REQUIRE(domain.mixed.size() == 3);
    CHECK(std::get<Nic>(domain.mixed[1]).mac == "52:54:00:0a:0b:0c");
    CHECK(domain.notes.at("one") == "1");
    REQUIRE(domain.arguments);
    CHECK(domain.arguments->list[1].value == "a,b");
    CHECK(xml::parse<Domain>(xml::format(domain)) == domain);
}

TEST_CASE("what may be absent is absent, and then not written") {
    const auto domain = xml::parse<Domain>(least_document);
    CHECK(xml::format(domain) == least_document);
    CHECK(domain.vcpus == 1);
    CHECK_FALSE(domain.metadata);
    CHECK_FALSE(domain.arguments);
}

TEST_CASE("a struct remembers its line, which makes no difference in comparison") {
    auto domain = xml::parse<Domain>(full_document);
    CHECK(domain.disks[0].where.line == 18);
    CHECK(domain.disks[0].backing->where.line == 24);
    CHECK(domain.disks[1].where.line == 32);
    const Domain copy = domain;
    domain.disks[0].where.line = 0;
    CHECK(copy == domain);
}

TEST_CASE("a field is shown only in a view that has its bits") {
    auto domain = xml::parse<Domain>(least_document);
    domain.password = std::string("p"); // not a literal: GCC 12 warns of it without cause
    CHECK(xml::format(domain) == least_document);
    const std::string shown = xml::format(domain, {.view = secrets});
    CHECK(shown.find("<password>p</password>\n") != std::string::npos);
    CHECK(xml::parse<Domain>(shown).password == "p");
}

TEST_CASE("indentation starts where it is told to") {
    CHECK(xml::format(Target{.dev = "a", .bus = "b"}, {.indent = 2}) ==
          "    <target dev='a' bus='b'/>\n");
}

namespace vireo::sample {

struct DriveTool {
    std::string name;
};

struct DriveImage {
    std::string format;
    std::string path;
};

/// One element that holds members of two structs.
struct Drive {
    DriveTool driver;
    DriveImage image;
};

const xml::Type& describe(const Drive*) {
    static const xml::Type type = xml::element<Drive>(
        "drive",
        xml::group("driver",
                   xml::embed(&Drive::driver, xml::attr("name", &DriveTool::name)),
                   xml::embed(&Drive::image, xml::attr("type", &DriveImage::format))),
        xml::embed(&Drive::image, xml::text("path", &DriveImage::path)));
    return type;
}

} // namespace vireo::sample

TEST_CASE("some fields of a struct can stand in one element and some in another") {
    const std::string text = "<drive>\n"
                             "  <driver name='qemu' type='raw'/>\n"
                             "  <path>/a</path>\n"
                             "</drive>\n";
    const auto drive = xml::parse<sample::Drive>(text);
    CHECK(drive.driver.name == "qemu");
    CHECK(drive.image.format == "raw");
    CHECK(drive.image.path == "/a");
    CHECK(xml::format(drive) == text);
    CHECK_THROWS_WITH_AS(xml::parse<sample::Drive>("<drive><driver name='q'/><path/></drive>"),
                         "line 1: drive/driver: attribute 'type' is missing",
                         const Error&);
}
