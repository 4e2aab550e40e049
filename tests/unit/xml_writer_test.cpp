// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/document.hpp"
#include "libshared/xml/writer.hpp"

#include <doctest/doctest.h>

using namespace vireo;

namespace {

std::string attribute(std::string_view value) {
    xml::Writer writer;
    writer.open("a");
    writer.attribute("x", value);
    writer.close();
    return writer.take();
}

std::string text(std::string_view value) {
    xml::Writer writer;
    writer.element("a", value);
    return writer.take();
}

} // namespace

TEST_CASE("elements are laid out as libvirt does") {
    xml::Writer writer;
    writer.open("a");
    writer.attribute("x", "1");
    writer.open("b");
    writer.close();
    writer.element("c", "text");
    writer.open("d");
    writer.raw("<raw>\n</raw>");
    writer.close();
    writer.close();
    CHECK(writer.take() == "<a x='1'>\n"
                           "  <b/>\n"
                           "  <c>text</c>\n"
                           "  <d>\n"
                           "    <raw>\n</raw>\n"
                           "  </d>\n"
                           "</a>\n");
}

TEST_CASE("an element that turned out empty can be taken back with what it began") {
    static constexpr xml::Namespace ns{"u", "p"};
    xml::Writer writer;
    writer.open("a");
    writer.open("b", &ns);
    CHECK(writer.empty_element());
    writer.discard();
    writer.close();
    CHECK(writer.take() == "<a/>\n");
}

TEST_CASE("namespaces are declared on the root, once, and only where they are used") {
    static constexpr xml::Namespace one{"u&1", "p"};
    static constexpr xml::Namespace two{"u2", "q"};
    xml::Writer writer;
    writer.open("a");
    writer.attribute("x", "1");
    writer.open("b", &one);
    writer.element("c", "inherits");
    writer.close();
    writer.open("b", &one);
    writer.close();
    writer.open("d", &two);
    writer.close();
    writer.close();
    CHECK(writer.take() == "<a x='1' xmlns:p='u&amp;1' xmlns:q='u2'>\n"
                           "  <p:b>\n"
                           "    <p:c>inherits</p:c>\n"
                           "  </p:b>\n"
                           "  <p:b/>\n"
                           "  <q:d/>\n"
                           "</a>\n");
}

TEST_CASE("the five characters of markup are escaped everywhere") {
    CHECK(attribute("<&>\"'") == "<a x='&lt;&amp;&gt;&quot;&apos;'/>\n");
    CHECK(text("<&>\"'") == "<a>&lt;&amp;&gt;&quot;&apos;</a>\n");
}

TEST_CASE("white space comes back as it was, other control characters are dropped") {
    CHECK(attribute("a\tb\nc\rd") == "<a x='a&#9;b&#10;c&#13;d'/>\n");
    CHECK(text("a\tb\nc\rd") == "<a>a\tb\nc&#13;d</a>\n");
    CHECK(text(std::string_view("a\x01\0\x1f\x7f", 5)) == "<a>a\x7f</a>\n");
    const std::string odd = "a\tb\nc\rd";
    CHECK(xml::Document::parse(attribute(odd)).root().attribute("x") == odd);
    CHECK(xml::Document::parse(text(odd)).root().text() == odd);
}

TEST_CASE("what is not UTF-8 is replaced, so that a document can always be read again") {
    CHECK(text("\xC3\xA9'\xF0\x9F\x90\x84") == "<a>\xC3\xA9&apos;\xF0\x9F\x90\x84</a>\n");
    CHECK(text("x\xE9y") == "<a>x\xEF\xBF\xBDy</a>\n");
    CHECK(text("\xC3") == "<a>\xEF\xBF\xBD</a>\n");
    CHECK(text("\xC3\xA9\xA9<") == "<a>\xC3\xA9\xEF\xBF\xBD&lt;</a>\n");
    CHECK(text("\xEF\xBF\xBE") == "<a>\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD</a>\n");
    std::string every;
    for (int byte = 0; byte < 256; ++byte) {
        every += static_cast<char>(byte);
    }
    CHECK(xml::Document::parse(text(every)).root().name() == "a");
    CHECK(xml::Document::parse(attribute(every)).root().name() == "a");
}
