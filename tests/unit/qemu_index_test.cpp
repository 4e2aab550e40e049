// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/index.hpp"

#include <doctest/doctest.h>

using namespace vireo::qemu;

namespace {

Index sample() {
    DomainSummary summary;
    summary.memory_kib = 4096;
    summary.current_memory_kib = 2048;
    summary.vcpus = 4;
    summary.current_vcpus = 2;
    summary.images = {
        {"vda", "/a b/100%\n.qcow2", false}, {"vda", "/base", true}, {"sda", "", false}};
    summary.nvram = "/nvram/web_VARS.fd";
    Index index;
    index["11111111-2222-3333-4444-555555555555"] = {
        {7, 8, 9, 10}, "a name with blanks", std::make_shared<const DomainSummary>(summary)};
    index["66666666-2222-3333-4444-555555555555"] = {{1, 2, 3, 4}, "other", nullptr};
    return index;
}

} // namespace

TEST_CASE("an index is read back as it was") {
    const Index index = sample();
    const Index read = parse_index(format_index(index));
    REQUIRE(read.size() == index.size());
    for (const auto& [uuid, entry] : index) {
        REQUIRE(read.contains(uuid));
        const IndexEntry& other = read.at(uuid);
        CHECK(other.mark == entry.mark);
        CHECK(other.name == entry.name);
        REQUIRE((other.summary != nullptr) == (entry.summary != nullptr));
        if (entry.summary) {
            CHECK(*other.summary == *entry.summary);
        }
    }
}

TEST_CASE("a damaged index is none") {
    const std::string text = format_index(sample());
    CHECK(parse_index("").empty());
    CHECK(parse_index("another file\n").empty());
    CHECK(parse_index(text + "half a li").empty());
    CHECK(parse_index(text + "uuid 1 2 3\n").empty());
    CHECK(parse_index(text + "uuid 1 2 3 x name\n").empty());
    CHECK(parse_index(text + "uuid 1 2 3 4 name 5 6 7\n").empty());
    CHECK(parse_index(text + "uuid 1 2 3 4 na%2 \n").empty());
    CHECK(parse_index(text + "uuid 1 2 3 4 name 5 6 7 8 nvram 0 vda\n").empty());
}
