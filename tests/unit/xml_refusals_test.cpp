// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/parse.hpp"
#include "tests/support/xml_sample.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::sample;

namespace {

template <class T = Domain>
std::string refusal(const std::string& text, const xml::ParseOptions& options = {}) {
    try {
        (void)xml::parse<T>(text, options);
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::xml_error);
        return e.what();
    }
    return "accepted";
}

/// The least document with `more` on its sixth line.
std::string domain(const std::string& more) {
    std::string text = least_document;
    return text.replace(text.find("  <devices/>"), 0, more + "\n");
}

std::string disk(const std::string& attributes, const std::string& content) {
    return "<disk " + attributes + ">\n" + content + "\n<target dev='vda'/></disk>";
}

std::string replaced(const std::string& from, const std::string& to) {
    std::string text = least_document;
    return text.replace(text.find(from), from.size(), to);
}

} // namespace

TEST_CASE("a value that is not in the table is refused with the table") {
    CHECK(refusal<Disk>(disk("type='fil'", "<source file='/a'/>")) ==
          "line 1: disk: attribute 'type': 'fil' is not one of file, block, network");
}

TEST_CASE("what is missing is named") {
    CHECK(refusal<Disk>("<disk type='file'><source file='/a'/></disk>") ==
          "line 1: disk: element 'target' is missing");
    CHECK(refusal<Disk>("<disk type='file'><source/><target dev='a'/></disk>") ==
          "line 1: disk/source: attribute 'file' is missing");
    CHECK(refusal<Disk>("<disk type='file'><target dev='a'/></disk>") ==
          "line 1: disk: element 'source' is missing");
    CHECK(refusal(replaced("  <name>n</name>\n", "")) ==
          "line 1: domain: element 'name' is missing");
    CHECK(refusal(replaced("    <type>hvm</type>\n", "")) ==
          "line 4: domain/os: element 'type' is missing");
    CHECK(refusal("<domain><name/><memory>1</memory></domain>") ==
          "line 1: domain: element 'os' is missing");
    CHECK(refusal(replaced("<devices/>", "<devices><serial><lane/></serial></devices>")) ==
          "line 7: domain/devices/serial/lane: attribute 'number' is missing");
}

TEST_CASE("values of the wrong form name their place, and all are named at once") {
    CHECK(refusal(domain("<vcpu>many</vcpu>")) ==
          "line 7: domain/vcpu: 'many' is not a whole number from 0 to 4294967295");
    CHECK(refusal(domain("<vcpu>-1</vcpu>")) ==
          "line 7: domain/vcpu: '-1' is not a whole number from 0 to 4294967295");
    CHECK(refusal(domain("<vcpu>\n4294967296 </vcpu><uuid>12</uuid>")) ==
          "line 7: domain/vcpu: ' 4294967296 ' is not a whole number from 0 to 4294967295; "
          "line 8: domain/uuid: '12' is not a UUID (hexadecimal digits as 8-4-4-4-12)");
    CHECK(refusal(replaced("unit='KiB'>1", "unit='parsec' dumpCore='yes'>1")) ==
          "line 3: domain/memory: '1' has the unit 'parsec', which is not one of bytes, KiB, MiB, "
          "GiB, TiB, PiB, EiB, KB, MB, GB, TB, PB, EB; line 3: domain/memory: attribute "
          "'dumpCore': 'yes' is not one of on, off");
    CHECK(refusal(domain("<mixed><interface mac='1:2:3'/></mixed>")) ==
          "line 7: domain/mixed/interface: attribute 'mac': '1:2:3' is not a MAC address like "
          "52:54:00:01:02:03");
}

TEST_CASE("elements of the same name are told apart by number") {
    const std::string two = "<devices>" + disk("type='file'", "<source file='/a'/>") +
                            disk("type='file'", "<source fil='/a'/>") + "</devices>";
    CHECK(refusal(replaced("<devices/>", two)) ==
          "line 10: domain/devices/disk[2]/source: attribute 'file' is missing; "
          "line 10: domain/devices/disk[2]/source: attribute 'fil' is not known");
}

TEST_CASE("what nobody described is refused by name") {
    CHECK(refusal(domain("<teapot/>")) == "line 7: domain: element 'teapot' is not known");
    CHECK(refusal(domain("<features><acpi on='1'/><teapot/></features>")) ==
          "line 7: domain/features/acpi: attribute 'on' is not known; "
          "line 7: domain/features: element 'teapot' is not known");
    CHECK(refusal(domain("<vcpu>1</vcpu><vcpu>2</vcpu>")) ==
          "line 7: domain: element 'vcpu' is given more than once");
    CHECK(refusal(domain("\n stray\nsheep\n")) ==
          "line 8: domain: text 'stray sheep' is not expected");
    CHECK(refusal(domain("<x:teapot xmlns:x='u' />")) ==
          "line 7: domain: element 'x:teapot' is not known");
    CHECK(refusal(replaced("<name>", "<name xmlns:x='u' x:y='1'>")) ==
          "line 2: domain/name: attribute 'x:y' is not known");
    // The right word in the wrong namespace is another word.
    CHECK(refusal(domain("<commandline/>")) ==
          "line 7: domain: element 'commandline' is not known");
}

TEST_CASE("what nobody described can be reported instead, and problems are still refused") {
    xml::Problems unknowns;
    const xml::ParseOptions options{.unknown = xml::Unknown::report, .unknowns = &unknowns};
    CHECK(refusal(domain("<teapot/><vcpu cpus='2'>1</vcpu>"), options) == "accepted");
    CHECK(unknowns.text() == "line 7: domain/vcpu: attribute 'cpus' is not known; "
                             "line 7: domain: element 'teapot' is not known");
    CHECK(refusal(domain("<teapot/><vcpu>x</vcpu>"), options) ==
          "line 7: domain/vcpu: 'x' is not a whole number from 0 to 4294967295");
    CHECK(refusal(domain("<teapot/>"), {.unknown = xml::Unknown::report}) == "accepted");
}

TEST_CASE("the first twenty problems are named, the rest counted") {
    std::string many;
    for (int i = 0; i < 30; ++i) {
        many += "<teapot/>\n";
    }
    const std::string message = refusal(domain(many));
    CHECK(message.starts_with("line 7: domain: element 'teapot' is not known; line 8: "));
    CHECK(message.ends_with("line 26: domain: element 'teapot' is not known; and 10 more"));
}

TEST_CASE("a document of another kind is refused") {
    CHECK(refusal("<network/>") == "line 1: element 'network' found where 'domain' is expected");
    CHECK(refusal("<domain xmlns='urn:x'/>") ==
          "line 1: element 'domain' of namespace 'urn:x' found where 'domain' is expected");
}

TEST_CASE("a custom field reports like any other") {
    CHECK(refusal(domain("<notes><a>1</a>\n<a>2</a></notes>")) ==
          "line 8: domain/notes/a[2]: the note is there already");
}

TEST_CASE("long and strange values are shown shortened") {
    const std::string message = refusal(domain("<vcpu>" + std::string(200, 'x') + "</vcpu>"));
    CHECK(message.find("'" + std::string(80, 'x') + "...'") != std::string::npos);
    const std::string accents = refusal(domain("<vcpu>x" + [] {
        std::string text;
        for (int i = 0; i < 60; ++i) {
            text += "\xC3\xA9";
        }
        return text;
    }() + "</vcpu>"));
    CHECK(accents.find("\xC3\xA9...'") != std::string::npos);
}
