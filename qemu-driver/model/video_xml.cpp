// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/video_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const VideoAcceleration*) {
    static const xml::Type type =
        xml::element<VideoAcceleration>("acceleration",
                                        xml::attr("accel2d", &VideoAcceleration::accel2d),
                                        xml::attr("accel3d", &VideoAcceleration::accel3d),
                                        xml::attr("rendernode", &VideoAcceleration::rendernode));
    return type;
}

static const xml::Type& describe(const VideoResolution*) {
    static const xml::Type type = xml::element<VideoResolution>(
        "resolution", xml::attr("x", &VideoResolution::x), xml::attr("y", &VideoResolution::y));
    return type;
}

const xml::Type& describe(const VideoDef*) {
    static const xml::Type type =
        xml::element<VideoDef>("video",
                               xml::group("driver",
                                          xml::attr("name", &VideoDef::backend),
                                          xml::attr("vgaconf", &VideoDef::vgaconf),
                                          xml::embed(&VideoDef::virtio)),
                               xml::group("model",
                                          xml::attr("type", &VideoDef::model),
                                          xml::attr("ram", &VideoDef::ram_kib),
                                          xml::attr("vram", &VideoDef::vram_kib),
                                          xml::attr("vram64", &VideoDef::vram64_kib),
                                          xml::attr("vgamem", &VideoDef::vgamem_kib),
                                          xml::attr("heads", &VideoDef::heads),
                                          xml::attr("primary", &VideoDef::primary),
                                          xml::attr("blob", &VideoDef::blob),
                                          xml::child(&VideoDef::acceleration),
                                          xml::child(&VideoDef::resolution)),
                               xml::embed(&VideoDef::info));
    return type;
}

} // namespace vireo::qemu
