// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_spice.hpp"

#include "libshared/error.hpp"

namespace vireo::qemu {

namespace {

void add_place(const PlanContext& context,
               const SpiceGraphics& spice,
               const GraphicsListen& listen,
               OptionText& text) {
    if (const auto* socket = std::get_if<SocketListen>(&listen.kind)) {
        text.word("unix").add("addr",
                              socket->path.value_or(context.facts.private_dir + "/spice.sock"));
        return;
    }
    if (std::holds_alternative<NoneListen>(listen.kind)) {
        text.add("port", uint64_t{0});
        return;
    }
    const auto given = [](const std::optional<int32_t>& port) { return port.value_or(-1) > 0; };
    if (given(spice.port)) {
        text.add("port", static_cast<uint64_t>(*spice.port));
    }
    if (given(spice.tls_port)) {
        if (!context.facts.settings.spice_tls) {
            throw Error(
                ErrorCode::config_unsupported,
                "graphics 'spice': tlsPort {} is given and spice_tls is off in the settings",
                *spice.tls_port);
        }
        text.add("tls-port", static_cast<uint64_t>(*spice.tls_port));
    }
    if (!given(spice.port) && !given(spice.tls_port)) {
        text.add("port", uint64_t{0}); // nobody can connect but by a descriptor
        return;
    }
    text.add("addr", listen_address(listen));
}

void add_channel(SpiceChannelMode mode, std::string_view channel, OptionText& text) {
    switch (mode) {
    case SpiceChannelMode::secure:
        text.add("tls-channel", channel);
        break;
    case SpiceChannelMode::insecure:
        text.add("plaintext-channel", channel);
        break;
    case SpiceChannelMode::any:
        break;
    }
}

void add_security(const PlanContext& context, const SpiceGraphics& spice, OptionText& text) {
    const LaunchSettings& settings = context.facts.settings;
    if (settings.spice_sasl) {
        text.on_off("sasl", true);
    }
    if (!spice.password.password && !settings.spice_password) {
        text.on_off("disable-ticketing", true);
    }
    if (spice.tls_port.value_or(-1) > 0) {
        text.add("x509-dir", settings.spice_tls_x509_cert_dir);
    }
    add_channel(spice.default_mode.value_or(SpiceChannelMode::any), "default", text);
    for (const SpiceChannel& channel : spice.channels) {
        add_channel(channel.mode, name_of(channel.name), text);
    }
}

void add_compression(const SpiceGraphics& spice, OptionText& text) {
    if (spice.image_compression) {
        text.add("image-compression", name_of(*spice.image_compression));
    }
    if (spice.jpeg_compression) {
        text.add("jpeg-wan-compression", name_of(*spice.jpeg_compression));
    }
    if (spice.zlib_compression) {
        text.add("zlib-glz-wan-compression", name_of(*spice.zlib_compression));
    }
    if (spice.playback_compression) {
        text.on_off("playback-compression", *spice.playback_compression == OnOff::on);
    }
    if (spice.streaming_mode) {
        text.add("streaming-video", name_of(*spice.streaming_mode));
    }
}

} // namespace

Plan plan_spice(const PlanContext& context,
                const SpiceGraphics& spice,
                const std::vector<GraphicsListen>& listens) {
    if (!context.caps.has_option("spice")) {
        throw Error(ErrorCode::config_unsupported,
                    "graphics type 'spice': '{}' was built without it",
                    context.caps.binary);
    }
    OptionText text;
    add_place(context, spice, listens.empty() ? GraphicsListen() : listens.front(), text);
    if (spice.mouse_mode) {
        text.on_off("agent-mouse", *spice.mouse_mode == SpiceMouseMode::client);
    }
    add_security(context, spice, text);
    add_compression(spice, text);
    if (spice.clipboard_copypaste == YesNo::no) {
        text.on_off("disable-copy-paste", true);
    }
    if (spice.filetransfer_enable == YesNo::no) {
        text.on_off("disable-agent-file-xfer", true);
    }
    if (spice.gl_enable == YesNo::yes) {
        text.on_off("gl", true);
        if (const auto& node = spice.rendernode ? spice.rendernode : context.facts.render_node) {
            text.add("rendernode", *node);
        }
    }
    text.on_off("seamless-migration", true);
    Plan plan;
    plan.push_back(option_step("-spice", text.take()));
    if (spice.keymap) {
        plan.push_back(option_step("-k", *spice.keymap));
    }
    return plan;
}

} // namespace vireo::qemu
