// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/sound_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const SoundDef*) {
    static const xml::Type type =
        xml::element<SoundDef>("sound",
                               xml::attr("model", &SoundDef::model),
                               xml::attr("multichannel", &SoundDef::multichannel),
                               xml::each("codec", "type", &SoundDef::codecs),
                               xml::group("audio", xml::attr("id", &SoundDef::audio_id)),
                               xml::embed(&SoundDef::info));
    return type;
}

} // namespace vireo::qemu
