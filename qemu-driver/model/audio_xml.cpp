// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/audio_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const AudioSettings*) {
    static const xml::Type type =
        xml::element<AudioSettings>("settings",
                                    xml::attr("frequency", &AudioSettings::frequency_hz),
                                    xml::attr("channels", &AudioSettings::channels),
                                    xml::attr("format", &AudioSettings::format));
    return type;
}

static const xml::Type& describe(const AudioStream*) {
    static const xml::Type type =
        xml::element<AudioStream>("",
                                  xml::attr("mixingEngine", &AudioStream::mixing_engine),
                                  xml::attr("fixedSettings", &AudioStream::fixed_settings),
                                  xml::attr("voices", &AudioStream::voices),
                                  xml::attr("bufferLength", &AudioStream::buffer_length_us),
                                  xml::attr("dev", &AudioStream::dev),
                                  xml::attr("bufferCount", &AudioStream::buffer_count),
                                  xml::attr("tryPoll", &AudioStream::try_poll),
                                  xml::attr("name", &AudioStream::name),
                                  xml::attr("streamName", &AudioStream::stream_name),
                                  xml::attr("latency", &AudioStream::latency_us),
                                  xml::attr("serverName", &AudioStream::server_name),
                                  xml::attr("clientName", &AudioStream::client_name),
                                  xml::attr("connectPorts", &AudioStream::connect_ports),
                                  xml::attr("exactName", &AudioStream::exact_name),
                                  xml::child(&AudioStream::settings));
    return type;
}

const xml::Type& describe(const AudioDef*) {
    static const xml::Type type =
        xml::element<AudioDef>("audio",
                               xml::attr("id", &AudioDef::id),
                               xml::attr("type", &AudioDef::type),
                               xml::attr("timerPeriod", &AudioDef::timer_period_us),
                               xml::attr("serverName", &AudioDef::server_name),
                               xml::attr("driver", &AudioDef::sdl_driver),
                               xml::attr("path", &AudioDef::path),
                               xml::attr("tryMMap", &AudioDef::try_mmap),
                               xml::attr("exclusive", &AudioDef::exclusive),
                               xml::attr("dspPolicy", &AudioDef::dsp_policy),
                               xml::child("input", &AudioDef::input),
                               xml::child("output", &AudioDef::output));
    return type;
}

} // namespace vireo::qemu
