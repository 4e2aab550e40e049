// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/document.hpp"
#include "libshared/xml/scan.hpp"

#include <doctest/doctest.h>

using namespace vireo;

namespace {

std::string refusal(const std::string& text, const xml::Limits& limits = {}) {
    try {
        (void)xml::Document::parse(text, limits);
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::xml_error);
        return e.what();
    }
    return "accepted";
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

std::string numbered_attributes(std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        all += fmt::format(" a{}='1'", i);
    }
    return all;
}

} // namespace

TEST_CASE("a document is walked by element, attribute and text") {
    const auto document =
        xml::Document::parse("<?xml version='1.0'?>\n<!-- c --><a x='1 &amp; 2'>\n"
                             "<b/>t<![CDATA[<u>]]>&lt;<b y=''/></a>");
    const xml::Node root = document.root();
    CHECK(root.name() == "a");
    CHECK(root.line() == 2);
    CHECK(root.attribute("x") == "1 & 2");
    CHECK_FALSE(root.attribute("y"));
    CHECK(root.text() == "\nt<u><");
    const auto second = root.first()->next();
    REQUIRE(second);
    CHECK(second->path() == "a/b[2]");
    CHECK(second->attribute("y") == "");
    CHECK_FALSE(second->next());
    CHECK(root.child("b")->line() == 3);
    CHECK_FALSE(root.child("c"));
}

TEST_CASE("an element's source keeps what is in it and the namespaces that it needs") {
    const std::string inner = "<p:a xmlns:p=\"u1\" q:b=\"&lt;&quot;&#10;\"><!-- c --> t&amp;\n"
                              "<![CDATA[<x>]]><?do it?><c/><q:d xmlns:q=\"u3\"/></p:a>";
    const auto document =
        xml::Document::parse("<r xmlns:q='u2' xmlns:unused='u4'>" + inner + "</r>");
    const std::string source = document.root().first()->source();
    CHECK(source == "<p:a xmlns:p=\"u1\" xmlns:q=\"u2\"" +
                        inner.substr(std::string("<p:a xmlns:p=\"u1\"").size()));
    CHECK(xml::Document::parse(source).root().source() == source);
    CHECK(xml::Document::parse(source).root().namespace_uri() == "u1");
}

TEST_CASE("markup that is not well formed is refused with its line") {
    CHECK(refusal("") == "line 1: Document is empty");
    CHECK(refusal("<a>\n<b>\n</a>")
              .starts_with("line 3: Opening and ending tag mismatch: b line 2 and a"));
    CHECK(refusal("<a>\n</a>x").starts_with("line 2: Extra content"));
    CHECK(refusal("<a x='1' x='2'/>").starts_with("line 1: Attribute x redefined"));
    CHECK(refusal("<a>&undefined;</a>").starts_with("line 1: Entity 'undefined' not defined"));
    CHECK(refusal("<a><p:b/></a>").starts_with("line 1: Namespace prefix p on b is not defined"));
    CHECK(refusal("text").starts_with("line 1: Start tag expected"));
    CHECK(refusal(std::string("<a>\0</a>", 8)) != "accepted");
    CHECK(refusal("<a>&#1;</a>") != "accepted");
}

TEST_CASE("document types are refused before libxml2 sees them") {
    const std::string message = "document types and entities are not accepted";
    CHECK(refusal("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>") == "line 1: " + message);
    CHECK(refusal(
              "<?xml version='1.0'?>\n<!-- c -->\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>") ==
          "line 3: " + message);
    std::string bomb = "<!DOCTYPE a [<!ENTITY e0 'x'>";
    for (int i = 1; i < 30; ++i) {
        bomb += fmt::format("<!ENTITY e{} '{}'>", i, repeated(fmt::format("&e{};", i - 1), 10));
    }
    CHECK(refusal(bomb + "]><a>&e29;</a>") == "line 1: " + message);
    // Not in markup: just text.
    CHECK(refusal("<a b='&lt;!DOCTYPE'><![CDATA[<!DOCTYPE a>]]><!-- <!DOCTYPE a> --></a>") ==
          "accepted");
}

TEST_CASE("text that is not UTF-8 is refused, whatever the document says of itself") {
    CHECK(refusal("<a>\n\xE9</a>") == "line 2: byte 0xe9 is not UTF-8");
    CHECK(refusal("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>") ==
          "line 1: byte 0xe9 is not UTF-8");
    CHECK(refusal("<?xml version='1.0' encoding='UTF-16'?><a>\xC3\xA9</a>") == "accepted");
    CHECK(refusal("\xEF\xBB\xBF<a/>") == "accepted");
    CHECK(refusal(std::string("\xFF\xFE<\0a\0/\0>\0", 10)) == "line 1: byte 0xff is not UTF-8");
}

TEST_CASE("UTF-8 is checked to its last rule") {
    for (const std::string good : {"",
                                   "plain ascii, long",
                                   "\xC2\x80",
                                   "\xDF\xBF",
                                   "\xE0\xA0\x80",
                                   "\xED\x9F\xBF",
                                   "\xEE\x80\x80",
                                   "\xEF\xBF\xBF",
                                   "\xF0\x90\x80\x80",
                                   "\xF4\x8F\xBF\xBF"}) {
        CHECK(xml::valid_utf8_prefix(good) == good.size());
        CHECK(xml::valid_utf8_prefix("12345678" + good + "12345678") == good.size() + 16);
    }
    for (const std::string bad : {"\x80",
                                  "\xBF",
                                  "\xC0\x80",
                                  "\xC1\xBF",
                                  "\xC2",
                                  "\xC2\x41",
                                  "\xE0\x9F\xBF",
                                  "\xE0\xA0",
                                  "\xED\xA0\x80",
                                  "\xEF\xBF",
                                  "\xF0\x8F\xBF\xBF",
                                  "\xF4\x90\x80\x80",
                                  "\xF5\x80\x80\x80",
                                  "\xFF"}) {
        CHECK(xml::valid_utf8_prefix(bad) == 0);
        CHECK(xml::valid_utf8_prefix("12345678" + bad) == 8);
    }
}

TEST_CASE("each limit holds exactly, and is named") {
    const xml::Limits limits{.bytes = 4096,
                             .nodes = 20,
                             .depth = 3,
                             .name = 5,
                             .value = 6,
                             .attributes = 2,
                             .namespaces = 2};
    CHECK(refusal("<a>" + std::string(4089, 'x') + "</a>", limits) == "accepted");
    CHECK(refusal("<a>" + std::string(4090, 'x') + "</a>", limits) ==
          "the document has 4097 bytes; at most 4096 are accepted");
    CHECK(refusal("<a>" + repeated("<b/>", 19) + "</a>", limits) == "accepted");
    CHECK(refusal("<a>\n" + repeated("<b/>", 20) + "</a>", limits) ==
          "line 2: the document has more than 20 elements and attributes");
    CHECK(refusal("<a>" + repeated("<!---->", 20) + "</a>", limits) ==
          "line 1: the document has more than 20 elements and attributes");
    CHECK(refusal("<a><b><c/></b><b><c></c></b></a>", limits) == "accepted");
    CHECK(refusal("<a><b><c><d></d></c></b></a>", limits) ==
          "line 1: elements are nested more than 3 deep");
    CHECK(refusal("<abcde fghij='123456'/>", limits) == "accepted");
    CHECK(refusal("<abcdef/>", limits) == "line 1: the name of an element is longer than 5 bytes");
    CHECK(refusal("<a\nbcdefg='1'/>", limits) ==
          "line 2: the name of an attribute is longer than 5 bytes");
    CHECK(refusal("<a b='1234567'/>", limits) ==
          "line 1: the value of an attribute is longer than 6 bytes");
    CHECK(refusal("<a b='1' c=\"2\"/>", limits) == "accepted");
    CHECK(refusal("<a b='1' c = '2'\td='3'/>", limits) ==
          "line 1: an element has more than 2 attributes");
    CHECK(refusal("<a><b xmlns='u'><c xmlns='v'/><c xmlns='v'/></b><b xmlns='u'/></a>", limits) ==
          "accepted");
    CHECK(refusal("<a xmlns='u'><b xmlns='v'><c xmlns='w'/></b></a>", {.namespaces = 2}) ==
          "line 1: more than 2 namespaces are in force");
}

TEST_CASE("the default limits refuse what would cost more than it says") {
    CHECK(refusal(repeated("<a>", 256) + repeated("</a>", 256)) == "accepted");
    CHECK(refusal(repeated("<a>", 1'000'000)) == "line 1: elements are nested more than 256 deep");
    CHECK(refusal("<" + std::string(10'000'000, 'a') + "/>") ==
          "line 1: the name of an element is longer than 256 bytes");
    CHECK(refusal("<a " + std::string(10'000'000, 'b') + "='1'/>") ==
          "line 1: the name of an attribute is longer than 256 bytes");
    CHECK(refusal("<a" + numbered_attributes(128) + "/>") == "accepted");
    CHECK(refusal("<a" + numbered_attributes(100'000) + "/>") ==
          "line 1: an element has more than 128 attributes");
    CHECK(refusal("<a>" + repeated("<b/>", 300'000) + "</a>") ==
          "line 1: the document has more than 200000 elements and attributes");
    CHECK(refusal("<a>" + std::string(17 << 20, 'x') + "</a>")
              .ends_with("at most 16777216 are accepted"));
    // libxml2 reports one error for each of these and would go on; it is stopped at the first.
    CHECK(refusal("<a>" + repeated("</b>", 300'000)).find(';') == std::string::npos);
    CHECK(refusal("<a>" + repeated("<p:b/>", 100'000) + "</a>").find("; and ") ==
          std::string::npos);
}

TEST_CASE("lines beyond 65535 are named as they are") {
    CHECK(refusal(std::string(70'000, '\n').insert(0, "<a>") + "<b x='1' x='2'/></a>")
              .starts_with("line 70001: "));
    const auto document = xml::Document::parse("<a>" + std::string(70'000, '\n') + "<b>x</b></a>");
    CHECK(document.root().first()->line() == 70'001);
}
