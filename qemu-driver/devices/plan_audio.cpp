// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_spice.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

std::string_view driver_of(AudioType type) {
    switch (type) {
    case AudioType::pulseaudio:
        return "pa";
    case AudioType::file:
        return "wav";
    default:
        return name_of(type);
    }
}

void set_yes_no(json& node, const char* key, const std::optional<YesNo>& value) {
    if (value) {
        node[key] = *value == YesNo::yes;
    }
}

template <class T>
void set_value(json& node, const char* key, const std::optional<T>& value) {
    if (value) {
        node[key] = *value;
    }
}

json stream(const AudioStream& stream) {
    json node = json::object();
    set_yes_no(node, "mixing-engine", stream.mixing_engine);
    set_yes_no(node, "fixed-settings", stream.fixed_settings);
    set_value(node, "voices", stream.voices);
    set_value(node, "buffer-length", stream.buffer_length_us);
    if (stream.settings) {
        set_value(node, "frequency", stream.settings->frequency_hz);
        set_value(node, "channels", stream.settings->channels);
        if (stream.settings->format) {
            node["format"] = name_of(*stream.settings->format);
        }
    }
    set_value(node, "dev", stream.dev);
    set_value(node, "name", stream.name);
    set_value(node, "stream-name", stream.stream_name);
    set_value(node, "latency", stream.latency_us);
    set_value(node, "buffer-count", stream.buffer_count);
    set_yes_no(node, "try-poll", stream.try_poll);
    set_value(node, "server-name", stream.server_name);
    set_value(node, "client-name", stream.client_name);
    set_value(node, "connect-ports", stream.connect_ports);
    set_yes_no(node, "exact-name", stream.exact_name);
    return node;
}

json back_end(const AudioDef& audio) {
    json node = json::object();
    node["id"] = fmt::format("audio{}", audio.id);
    node["driver"] = driver_of(audio.type);
    set_value(node, "timer-period", audio.timer_period_us);
    set_value(node, "server", audio.server_name);
    set_value(node, "path", audio.path);
    set_yes_no(node, "try-mmap", audio.try_mmap);
    set_yes_no(node, "exclusive", audio.exclusive);
    set_value(node, "dsp-policy", audio.dsp_policy);
    if (audio.input) {
        node["in"] = stream(*audio.input);
    }
    if (audio.output) {
        node["out"] = stream(*audio.output);
    }
    for (const char* direction : {"in", "out"}) {
        if (node.contains(direction) && node.at(direction).empty()) {
            node.erase(direction);
        }
    }
    return node;
}

const char* codec_driver(SoundCodec codec) {
    switch (codec) {
    case SoundCodec::duplex:
        return "hda-duplex";
    case SoundCodec::micro:
        return "hda-micro";
    case SoundCodec::output:
        return "hda-output";
    }
    return "hda-duplex";
}

const char* card_driver(SoundModel model) {
    switch (model) {
    case SoundModel::sb16:
        return "sb16";
    case SoundModel::es1370:
        return "ES1370";
    case SoundModel::ac97:
        return "AC97";
    case SoundModel::ich6:
        return "intel-hda";
    case SoundModel::ich9:
        return "ich9-intel-hda";
    case SoundModel::usb:
        return "usb-audio";
    case SoundModel::pcspk:
    case SoundModel::ich7:
        break;
    }
    throw Error(ErrorCode::config_unsupported, "sound model '{}' is not supported", name_of(model));
}

/// The back end that a device plays through: the one it names, or the first.
std::optional<std::string> audio_id(const PlanContext& context,
                                    const std::optional<uint32_t>& wanted) {
    const auto& all = context.def.devices.audios;
    for (const AudioDef& audio : all) {
        if (!wanted || audio.id == *wanted) {
            return fmt::format("audio{}", audio.id);
        }
    }
    if (wanted) {
        throw Error(ErrorCode::config_unsupported,
                    "audio id '{}' is asked for and the domain has no such <audio>",
                    *wanted);
    }
    return std::nullopt;
}

} // namespace

std::optional<std::string> audio_for_vnc(const PlanContext& context, const VncGraphics& vnc) {
    return audio_id(context, vnc.audio_id);
}

Plan plan_audio(const PlanContext&, const AudioDef& audio) {
    return {{"-audiodev", {}, back_end(audio), {}}};
}

std::optional<std::string> audio_for_speaker(const PlanContext& context) {
    for (const SoundDef& sound : context.def.devices.sounds) {
        if (sound.model == SoundModel::pcspk) {
            return audio_id(context, sound.audio_id);
        }
    }
    return std::nullopt;
}

Plan plan_sound(const PlanContext& context, const SoundDef& sound) {
    if (sound.model == SoundModel::pcspk) {
        return {}; // the machine's own
    }
    const std::string& alias = alias_of(sound.info);
    const bool hda = sound.model == SoundModel::ich6 || sound.model == SoundModel::ich9;
    const auto audio = audio_id(context, sound.audio_id);
    Plan plan;
    json card = json::object();
    card["driver"] = card_driver(sound.model);
    require_type(context, card_driver(sound.model), "sound");
    card["id"] = alias;
    if (!hda && audio) {
        card["audiodev"] = *audio;
    }
    if (sound.model == SoundModel::usb) {
        set_yes_no(card, "multi", sound.multichannel);
    }
    add_address(context, card, sound.info);
    plan.push_back(device_step(std::move(card)));
    if (!hda) {
        return plan;
    }
    std::vector<SoundCodec> codecs = sound.codecs;
    if (codecs.empty()) {
        codecs.push_back(SoundCodec::duplex);
    }
    for (size_t place = 0; place < codecs.size(); ++place) {
        json codec = json::object();
        codec["driver"] = codec_driver(codecs[place]);
        codec["id"] = fmt::format("{}-codec{}", alias, place);
        codec["bus"] = alias + ".0";
        codec["cad"] = place;
        if (audio) {
            codec["audiodev"] = *audio;
        }
        plan.push_back(device_step(std::move(codec)));
    }
    return plan;
}

} // namespace vireo::qemu
