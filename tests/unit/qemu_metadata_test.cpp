// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/model/metadata.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;

namespace {

constexpr const char* uri = "http://example.org/app";

MetadataEdit element(std::string text, std::string key = "app", std::string of = uri) {
    return {MetadataType::element, std::move(text), std::move(key), std::move(of)};
}

ErrorCode refusal(DomainDef& def, const MetadataEdit& edit) {
    try {
        edit_metadata(def, edit);
    } catch (const Error& e) {
        return e.code();
    }
    return ErrorCode::internal;
}

} // namespace

TEST_CASE("title and description are set, read and removed") {
    DomainDef def;
    edit_metadata(def, {MetadataType::title, "Web", "", ""});
    edit_metadata(def, {MetadataType::description, "two\nlines", "", ""});
    CHECK(metadata_of(def, MetadataType::title, "") == "Web");
    CHECK(metadata_of(def, MetadataType::description, "") == "two\nlines");
    edit_metadata(def, {MetadataType::title, "", "", ""});
    CHECK(!def.title);
    CHECK_THROWS_WITH_AS(metadata_of(def, MetadataType::title, ""),
                         "Requested metadata element is not present",
                         Error);
}

TEST_CASE("an element gets the namespace and is given back without it") {
    DomainDef def;
    edit_metadata(def, element("<owner since='1'>me<b/></owner>"));
    CHECK(def.metadata->text == "<metadata>\n    <app:owner xmlns:app=\"http://example.org/app\" "
                                "since=\"1\">me<app:b/></app:owner>\n  </metadata>");
    CHECK(metadata_of(def, MetadataType::element, uri) == "<owner since=\"1\">me<b/></owner>");
}

TEST_CASE("an element replaces the one of its namespace and leaves the others") {
    DomainDef def;
    def.metadata = xml::Raw{"<metadata>\n    <o:x xmlns:o='urn:o'/>\n    <a:y xmlns:a='" +
                            std::string(uri) + "'/>\n  </metadata>"};
    edit_metadata(def, element("<z/>"));
    CHECK(metadata_of(def, MetadataType::element, uri) == "<z/>");
    CHECK(metadata_of(def, MetadataType::element, "urn:o") == "<x/>");
    edit_metadata(def, element("", ""));
    CHECK_THROWS_AS(metadata_of(def, MetadataType::element, uri), Error);
    CHECK(metadata_of(def, MetadataType::element, "urn:o") == "<x/>");
    edit_metadata(def, element("", "", "urn:o"));
    CHECK(!def.metadata);
}

TEST_CASE("a declaration that an attribute needs stays") {
    DomainDef def;
    edit_metadata(def, element("<x xmlns:app='http://example.org/app' app:y='1'/>", "other"));
    CHECK(metadata_of(def, MetadataType::element, uri).find("app:y=\"1\"") != std::string::npos);
}

TEST_CASE("what cannot be metadata is refused and changes nothing") {
    DomainDef def;
    edit_metadata(def, element("<x/>"));
    const std::string before = def.metadata->text;
    CHECK(refusal(def, {MetadataType::title, "two\nlines", "", ""}) == ErrorCode::invalid_arg);
    CHECK(refusal(def, {MetadataType::title, "x", "", uri}) == ErrorCode::invalid_arg);
    CHECK(refusal(def, element("<x/>", "app", "")) == ErrorCode::invalid_arg);
    CHECK(refusal(def, element("<x/>", "no prefix")) == ErrorCode::invalid_arg);
    CHECK(refusal(def, element("<x/>", "")) == ErrorCode::invalid_arg);
    CHECK(refusal(def, element("<x/>", "xmlns")) == ErrorCode::invalid_arg);
    CHECK(refusal(def, element("<x>")) == ErrorCode::xml_error);
    CHECK(refusal(def, element("text")) == ErrorCode::xml_error);
    CHECK(def.metadata->text == before);
    CHECK(!def.title);
    CHECK_THROWS_AS(metadata_type(3), Error);
    CHECK_THROWS_AS(metadata_type(-1), Error);
}
