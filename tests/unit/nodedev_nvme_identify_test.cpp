// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/nvme_identify.hpp"

#include <doctest/doctest.h>

using namespace vireo::nodedev;

namespace {

void put(IdentifyData& data, size_t offset, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        data.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
    }
}

/// A namespace whose format `index` has these sizes.
IdentifyData made(size_t index, uint16_t metadata, uint8_t lba_exponent) {
    IdentifyData data{};
    put(data, 0, 0x2000, 8);
    put(data, 16, 0x1234, 8);
    put(data, 26, (index & 0xf) | (index >> 4) << 5, 1);
    put(data, 128 + 4 * index, metadata, 2);
    put(data, 128 + 4 * index + 2, lba_exponent, 1);
    return data;
}

} // namespace

TEST_CASE("the format in use gives the sizes, also one past the sixteenth") {
    CHECK(parse_identify_namespace(made(0, 0, 9)) == NamespaceIdentity{0x1234, 512, 0});
    CHECK(parse_identify_namespace(made(3, 8, 12)) == NamespaceIdentity{0x1234, 4096, 8});
    CHECK(parse_identify_namespace(made(17, 64, 12)) == NamespaceIdentity{0x1234, 4096, 64});
}

TEST_CASE("what is no format is not shown") {
    CHECK_FALSE(parse_identify_namespace(IdentifyData{}).has_value());
    CHECK_FALSE(parse_identify_namespace(made(0, 0, 8)).has_value());
    CHECK_FALSE(parse_identify_namespace(made(0, 0, 200)).has_value());
}

TEST_CASE("a list of namespaces ends with a 0, or is full") {
    using Numbers = std::vector<uint32_t>;
    IdentifyData data{};
    CHECK(parse_namespace_list(data) == Numbers{});
    put(data, 0, 1, 4);
    put(data, 4, 0x12345678, 4);
    put(data, 12, 7, 4);
    CHECK(parse_namespace_list(data) == Numbers{1, 0x12345678});
    for (size_t i = 0; i < 1024; ++i) {
        put(data, 4 * i, i + 1, 4);
    }
    CHECK(parse_namespace_list(data).size() == 1024);
    CHECK(parse_namespace_list(data).back() == 1024);
}

TEST_CASE("what is no controller is not asked") {
    CHECK_FALSE(identify_namespace("/dev/null", 1).has_value());
    CHECK_FALSE(identify_namespace("/nonexistent", 1).has_value());
    CHECK(active_namespaces(vireo::Sysfs(), "/dev/null").empty());
}
