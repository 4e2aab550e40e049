// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

/// `<sound>`: the guest's sound card.
namespace vireo::qemu {

enum class SoundModel { sb16, es1370, pcspk, ac97, ich6, ich9, usb, ich7 };
enum class SoundCodec { duplex, micro, output };

struct SoundDef {
    SoundModel model{};
    std::vector<SoundCodec> codecs;
    std::optional<YesNo> multichannel;
    /// Which `<audio>` it plays through.
    std::optional<uint32_t> audio_id;
    DeviceInfo info;
};

const xml::Type& describe(const SoundDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::SoundModel> {
    static constexpr std::array<std::string_view, 8> names{
        "sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "ich7"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SoundCodec> {
    static constexpr std::array<std::string_view, 3> names{"duplex", "micro", "output"};
};
