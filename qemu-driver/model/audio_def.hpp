// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

/// `<audio>`: what the host does with the guest's sound. QEMU's `-audiodev`.
namespace vireo::qemu {

enum class AudioFormat { s8, u8, s16, u16, s32, u32, f32 };

struct AudioSettings {
    std::optional<uint32_t> frequency_hz;
    std::optional<uint32_t> channels;
    std::optional<AudioFormat> format;
};

/// `<input>` or `<output>`: one direction. What each backend has of its own is in here too, as
/// their names do not overlap in meaning; `validate` refuses what a backend has not.
struct AudioStream {
    std::optional<YesNo> mixing_engine;
    std::optional<YesNo> fixed_settings;
    std::optional<uint32_t> voices;
    std::optional<uint32_t> buffer_length_us;
    std::optional<AudioSettings> settings;
    /// alsa, oss: device; pulseaudio: sink or source.
    std::optional<std::string> dev;
    std::optional<std::string> name;
    std::optional<std::string> stream_name;
    std::optional<uint32_t> latency_us;
    std::optional<uint32_t> buffer_count;
    std::optional<YesNo> try_poll;
    std::optional<std::string> server_name;
    std::optional<std::string> client_name;
    std::optional<std::string> connect_ports;
    std::optional<YesNo> exact_name;
};

enum class AudioType { none, alsa, coreaudio, jack, oss, pulseaudio, sdl, spice, file, dbus };
enum class SdlAudioDriver { esd, alsa, arts, pulseaudio };

struct AudioDef {
    uint32_t id{};
    AudioType type{};
    std::optional<uint32_t> timer_period_us;
    std::optional<AudioStream> input;
    std::optional<AudioStream> output;
    /// pulseaudio.
    std::optional<std::string> server_name;
    /// sdl.
    std::optional<SdlAudioDriver> sdl_driver;
    /// file.
    std::optional<std::string> path;
    /// oss.
    std::optional<YesNo> try_mmap;
    std::optional<YesNo> exclusive;
    std::optional<int32_t> dsp_policy;
    xml::Where where;
};

const xml::Type& describe(const AudioDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::AudioFormat> {
    static constexpr std::array<std::string_view, 7> names{
        "s8", "u8", "s16", "u16", "s32", "u32", "f32"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::AudioType> {
    static constexpr std::array<std::string_view, 10> names{
        "none", "alsa", "coreaudio", "jack", "oss", "pulseaudio", "sdl", "spice", "file", "dbus"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SdlAudioDriver> {
    static constexpr std::array<std::string_view, 4> names{"esd", "alsa", "arts", "pulseaudio"};
};
