// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/backend/image_header.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vireo::storage;

namespace {

/// A header under construction: numbers at offsets, zero elsewhere.
class Header {
  public:
    explicit Header(const std::string& magic, size_t at = 0) { text(at, magic); }

    Header& text(size_t offset, const std::string& bytes) {
        bytes_.resize(std::max(bytes_.size(), offset + bytes.size() + 16));
        bytes_.replace(offset, bytes.size(), bytes);
        return *this;
    }

    Header& big(size_t offset, uint64_t value, size_t size) {
        std::string bytes;
        for (size_t i = size; i > 0; --i) {
            bytes += static_cast<char>(value >> (8 * (i - 1)) & 0xff);
        }
        return text(offset, bytes);
    }

    Header& little(size_t offset, uint64_t value, size_t size) {
        std::string bytes;
        for (size_t i = 0; i < size; ++i) {
            bytes += static_cast<char>(value >> (8 * i) & 0xff);
        }
        return text(offset, bytes);
    }

    ImageHeader parse() const { return parse_image_header(bytes_); }

    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

Header qcow2(uint64_t version) {
    Header header("QFI\xfb");
    header.big(4, version, 4).big(20, 16, 4).big(24, 10ULL << 30, 8);
    return header.big(100, 104, 4);
}

} // namespace

TEST_CASE("qcow2: version, capacity, cluster size and features") {
    const ImageHeader old = qcow2(2).parse();
    CHECK(old.format == VolumeFormat::qcow2);
    CHECK(old.capacity == 10ULL << 30);
    CHECK(old.cluster_size == 65536U);
    CHECK(old.compat == "0.10");
    CHECK_FALSE(old.backing_path.has_value());
    CHECK_FALSE(old.encrypted);
    const ImageHeader featured = qcow2(3).big(72, 1U << 4, 8).big(80, 1, 8).big(32, 2, 4).parse();
    CHECK(featured.compat == "1.1");
    CHECK(featured.features == VolumeFeatures{.lazy_refcounts = true, .extended_l2 = true});
    CHECK(featured.encrypted);
}

TEST_CASE("qcow2: the backing file and, where it is told, its format") {
    Header with_format = qcow2(3);
    with_format.big(8, 512, 8).big(16, 5, 4).text(512, "/base");
    CHECK(with_format.parse().backing_path == "/base");
    CHECK_FALSE(with_format.parse().backing_format.has_value());
    with_format.big(104, 0x6803f857, 4).big(108, 3, 4); // feature names, padded to 8 bytes
    with_format.big(120, 0xe2792aca, 4).big(124, 3, 4).text(128, "raw");
    CHECK(with_format.parse().backing_format == VolumeFormat::raw);
}

TEST_CASE("qcow2: a header that makes no sense is raw; nothing outside of it is read") {
    CHECK(qcow2(9).parse().format == VolumeFormat::raw);
    CHECK(qcow2(3).big(20, 60, 4).parse().format == VolumeFormat::raw);
    CHECK_FALSE(qcow2(3).big(8, 1ULL << 40, 8).big(16, 5, 4).parse().backing_path.has_value());
    CHECK_FALSE(qcow2(3).big(8, 512, 8).big(16, 100000, 4).parse().backing_path.has_value());
    Header endless = qcow2(3);
    endless.big(8, 200, 8).big(16, 5, 4).text(200, "/base").big(100, 0xffffffff, 4);
    CHECK(endless.parse().backing_path == "/base");
    CHECK(parse_image_header(qcow2(3).bytes().substr(0, 6)).format == VolumeFormat::raw);
}

TEST_CASE("other formats are known by their magic numbers") {
    CHECK(Header("QFI\xfb").big(4, 1, 4).big(24, 4096, 8).parse().format == VolumeFormat::qcow);
    CHECK(Header(std::string("QED\0", 4)).little(48, 4096, 8).parse().capacity == 4096U);
    CHECK(Header("KDMV").little(12, 8, 8).parse().capacity == 4096U);
    CHECK(Header("\x7f\x10\xda\xbe", 0x40).little(0x170, 4096, 8).parse().format ==
          VolumeFormat::vdi);
    CHECK(Header("conectix").big(0x30, 4096, 8).parse().format == VolumeFormat::vpc);
    CHECK(Header("CD001", 0x8001).parse().format == VolumeFormat::iso);
    const ImageHeader luks = Header("LUKS\xba\xbe").parse();
    CHECK(luks.format == VolumeFormat::raw);
    CHECK(luks.encrypted);
}

TEST_CASE("anything else is raw and has the file's size") {
    for (const std::string& bytes : {std::string(), std::string("QFI"), std::string(4096, '\0')}) {
        CHECK(parse_image_header(bytes).format == VolumeFormat::raw);
        CHECK_FALSE(parse_image_header(bytes).capacity.has_value());
    }
}
