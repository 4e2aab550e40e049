// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/backend/image_header.hpp"

#include <array>

namespace vireo::storage {

using namespace std::string_view_literals;

namespace {

/// Reads numbers at offsets; what lies beyond the end is zero.
class Bytes {
  public:
    explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

    uint64_t big(size_t offset, size_t size) const {
        uint64_t value = 0;
        for (size_t i = 0; i < size; ++i) {
            value = value << 8 | at(offset + i);
        }
        return value;
    }

    uint64_t little(size_t offset, size_t size) const {
        uint64_t value = 0;
        for (size_t i = 0; i < size; ++i) {
            value |= at(offset + i) << (8 * i);
        }
        return value;
    }

    /// Empty where it does not lie within.
    std::string_view text(uint64_t offset, uint64_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset
                   ? bytes_.substr(offset, size)
                   : std::string_view();
    }

  private:
    uint64_t at(size_t offset) const {
        return offset < bytes_.size() ? static_cast<unsigned char>(bytes_[offset]) : 0;
    }

    std::string_view bytes_;
};

/// The longest backing file name that QEMU takes.
constexpr uint64_t max_backing_name = 1023;

std::optional<std::string> backing_name(const Bytes& bytes, uint64_t offset, uint64_t size) {
    const std::string_view name = bytes.text(offset, size);
    if (offset == 0 || name.empty() || size > max_backing_name) {
        return std::nullopt;
    }
    return std::string(name);
}

/// The format's name stands in a header extension; without it the format is not known.
std::optional<VolumeFormat> qcow2_backing_format(const Bytes& bytes, uint64_t offset) {
    constexpr uint64_t end_of_extensions = 0;
    constexpr uint64_t backing_format_extension = 0xe2792aca;
    constexpr int sensible_extensions = 32;
    for (int i = 0; i < sensible_extensions; ++i) {
        const uint64_t kind = bytes.big(offset, 4);
        const uint64_t size = bytes.big(offset + 4, 4);
        if (kind == end_of_extensions || offset > image_header_size) {
            break;
        }
        if (kind == backing_format_extension) {
            return xml::enum_of<VolumeFormat>(bytes.text(offset + 8, size));
        }
        offset += 8 + (size + 7) / 8 * 8;
    }
    return std::nullopt;
}

ImageHeader qcow2(const Bytes& bytes) {
    const uint64_t version = bytes.big(4, 4);
    const uint64_t cluster_bits = bytes.big(20, 4);
    ImageHeader header;
    if ((version != 2 && version != 3) || cluster_bits < 9 || cluster_bits > 22) {
        return header;
    }
    header.format = VolumeFormat::qcow2;
    header.capacity = bytes.big(24, 8);
    header.cluster_size = 1ULL << cluster_bits;
    header.compat = version == 2 ? "0.10" : "1.1";
    header.encrypted = bytes.big(32, 4) != 0;
    uint64_t extensions = 72;
    if (version == 3) {
        constexpr uint64_t incompatible_extended_l2 = 1U << 4;
        constexpr uint64_t compatible_lazy_refcounts = 1U << 0;
        header.features.extended_l2 = (bytes.big(72, 8) & incompatible_extended_l2) != 0;
        header.features.lazy_refcounts = (bytes.big(80, 8) & compatible_lazy_refcounts) != 0;
        extensions = bytes.big(100, 4);
    }
    header.backing_path = backing_name(bytes, bytes.big(8, 8), bytes.big(16, 4));
    if (header.backing_path) {
        header.backing_format = qcow2_backing_format(bytes, extensions);
    }
    return header;
}

ImageHeader qcow(const Bytes& bytes) {
    ImageHeader header;
    header.format = VolumeFormat::qcow;
    header.capacity = bytes.big(24, 8);
    header.encrypted = bytes.big(36, 4) != 0;
    header.backing_path = backing_name(bytes, bytes.big(8, 8), bytes.big(16, 4));
    return header;
}

ImageHeader qed(const Bytes& bytes) {
    ImageHeader header;
    header.format = VolumeFormat::qed;
    header.cluster_size = bytes.little(4, 4);
    header.capacity = bytes.little(48, 8);
    header.backing_path = backing_name(bytes, bytes.little(56, 4), bytes.little(60, 4));
    return header;
}

ImageHeader vmdk(const Bytes& bytes) {
    constexpr uint64_t sector = 512;
    ImageHeader header;
    header.format = VolumeFormat::vmdk;
    header.capacity = bytes.little(12, 8) * sector;
    return header;
}

ImageHeader vdi(const Bytes& bytes) {
    ImageHeader header;
    header.format = VolumeFormat::vdi;
    header.capacity = bytes.little(0x170, 8);
    return header;
}

ImageHeader vpc(const Bytes& bytes) {
    ImageHeader header;
    header.format = VolumeFormat::vpc;
    header.capacity = bytes.big(0x30, 8);
    return header;
}

ImageHeader iso(const Bytes&) {
    ImageHeader header;
    header.format = VolumeFormat::iso;
    return header;
}

/// A LUKS container is a raw volume with encryption, as libvirt sees it.
ImageHeader luks(const Bytes&) {
    ImageHeader header;
    header.encrypted = true;
    return header;
}

struct Magic {
    size_t offset;
    std::string_view bytes;
    ImageHeader (*parse)(const Bytes&);
};

constexpr std::array magics{
    Magic{0, "QFI\xfb\0\0\0\1"sv, &qcow},
    Magic{0, "QFI\xfb"sv, &qcow2},
    Magic{0, "QED\0"sv, &qed},
    Magic{0, "KDMV"sv, &vmdk},
    Magic{0x40, "\x7f\x10\xda\xbe"sv, &vdi},
    Magic{0, "conectix"sv, &vpc},
    Magic{0, "LUKS\xba\xbe"sv, &luks},
    Magic{0x8001, "CD001"sv, &iso},
};

} // namespace

ImageHeader parse_image_header(std::string_view data) {
    const Bytes bytes(data);
    for (const Magic& magic : magics) {
        if (bytes.text(magic.offset, magic.bytes.size()) == magic.bytes) {
            return magic.parse(bytes);
        }
    }
    return {};
}

} // namespace vireo::storage
