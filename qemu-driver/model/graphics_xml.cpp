// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/graphics_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const AddressListen*) {
    static const xml::Type type =
        xml::element<AddressListen>("", xml::attr("address", &AddressListen::address));
    return type;
}

static const xml::Type& describe(const NetworkListen*) {
    static const xml::Type type =
        xml::element<NetworkListen>("",
                                    xml::attr("address", &NetworkListen::address),
                                    xml::attr("network", &NetworkListen::network));
    return type;
}

static const xml::Type& describe(const SocketListen*) {
    static const xml::Type type =
        xml::element<SocketListen>("", xml::attr("socket", &SocketListen::path));
    return type;
}

static const xml::Type& describe(const NoneListen*) {
    static const xml::Type type = xml::element<NoneListen>("");
    return type;
}

static const xml::Type& describe(const GraphicsListen*) {
    static const xml::Type type =
        xml::element<GraphicsListen>("listen",
                                     xml::kind<ListenType>("type", &GraphicsListen::kind),
                                     xml::one_of(&GraphicsListen::kind));
    return type;
}

namespace {

/// `passwd=`, `passwdValidTo=`, `connected=` of VNC and SPICE.
template <class G>
auto password_fields() {
    return xml::embed(&G::password,
                      xml::attr("passwd", &GraphicsPassword::password),
                      xml::attr("passwdValidTo", &GraphicsPassword::valid_to),
                      xml::attr("connected", &GraphicsPassword::connected));
}

} // namespace

static const xml::Type& describe(const VncGraphics*) {
    static const xml::Type type =
        xml::element<VncGraphics>("",
                                  xml::attr("port", &VncGraphics::port),
                                  xml::attr("autoport", &VncGraphics::autoport),
                                  xml::attr("websocket", &VncGraphics::websocket),
                                  xml::attr("keymap", &VncGraphics::keymap),
                                  xml::attr("sharePolicy", &VncGraphics::share_policy),
                                  password_fields<VncGraphics>(),
                                  xml::attr("powerControl", &VncGraphics::power_control),
                                  xml::group("audio", xml::attr("id", &VncGraphics::audio_id)));
    return type;
}

static const xml::Type& describe(const SpiceChannel*) {
    static const xml::Type type = xml::element<SpiceChannel>(
        "channel", xml::attr("name", &SpiceChannel::name), xml::attr("mode", &SpiceChannel::mode));
    return type;
}

static const xml::Type& describe(const SpiceGraphics*) {
    static const xml::Type type = xml::element<SpiceGraphics>(
        "",
        xml::attr("port", &SpiceGraphics::port),
        xml::attr("tlsPort", &SpiceGraphics::tls_port),
        xml::attr("autoport", &SpiceGraphics::autoport),
        xml::attr("keymap", &SpiceGraphics::keymap),
        xml::attr("defaultMode", &SpiceGraphics::default_mode),
        password_fields<SpiceGraphics>(),
        xml::child(&SpiceGraphics::channels),
        xml::group("image", xml::attr("compression", &SpiceGraphics::image_compression)),
        xml::group("jpeg", xml::attr("compression", &SpiceGraphics::jpeg_compression)),
        xml::group("zlib", xml::attr("compression", &SpiceGraphics::zlib_compression)),
        xml::group("playback", xml::attr("compression", &SpiceGraphics::playback_compression)),
        xml::group("streaming", xml::attr("mode", &SpiceGraphics::streaming_mode)),
        xml::group("mouse", xml::attr("mode", &SpiceGraphics::mouse_mode)),
        xml::group("clipboard", xml::attr("copypaste", &SpiceGraphics::clipboard_copypaste)),
        xml::group("filetransfer", xml::attr("enable", &SpiceGraphics::filetransfer_enable)),
        xml::group("gl",
                   xml::attr("enable", &SpiceGraphics::gl_enable),
                   xml::attr("rendernode", &SpiceGraphics::rendernode)));
    return type;
}

static const xml::Type& describe(const SdlGraphics*) {
    static const xml::Type type =
        xml::element<SdlGraphics>("",
                                  xml::attr("display", &SdlGraphics::display),
                                  xml::attr("xauth", &SdlGraphics::xauth),
                                  xml::attr("fullscreen", &SdlGraphics::fullscreen),
                                  xml::group("gl", xml::attr("enable", &SdlGraphics::gl_enable)));
    return type;
}

static const xml::Type& describe(const EglHeadlessGraphics*) {
    static const xml::Type type = xml::element<EglHeadlessGraphics>(
        "", xml::group("gl", xml::attr("rendernode", &EglHeadlessGraphics::rendernode)));
    return type;
}

static const xml::Type& describe(const DbusGraphics*) {
    static const xml::Type type =
        xml::element<DbusGraphics>("",
                                   xml::attr("p2p", &DbusGraphics::p2p),
                                   xml::attr("address", &DbusGraphics::address),
                                   xml::group("gl",
                                              xml::attr("enable", &DbusGraphics::gl_enable),
                                              xml::attr("rendernode", &DbusGraphics::rendernode)),
                                   xml::group("audio", xml::attr("id", &DbusGraphics::audio_id)));
    return type;
}

static const xml::Type& describe(const RdpGraphics*) {
    static const xml::Type type =
        xml::element<RdpGraphics>("",
                                  xml::attr("port", &RdpGraphics::port),
                                  xml::attr("autoport", &RdpGraphics::autoport),
                                  xml::attr("replaceUser", &RdpGraphics::replace_user),
                                  xml::attr("multiUser", &RdpGraphics::multi_user));
    return type;
}

static const xml::Type& describe(const DesktopGraphics*) {
    static const xml::Type type =
        xml::element<DesktopGraphics>("",
                                      xml::attr("display", &DesktopGraphics::display),
                                      xml::attr("fullscreen", &DesktopGraphics::fullscreen));
    return type;
}

const xml::Type& describe(const GraphicsDef*) {
    static const xml::Type type =
        xml::element<GraphicsDef>("graphics",
                                  xml::kind<GraphicsType>("type", &GraphicsDef::kind),
                                  xml::one_of(&GraphicsDef::kind),
                                  xml::attr("listen", &GraphicsDef::listen_attribute),
                                  xml::attr("socket", &GraphicsDef::socket_attribute),
                                  xml::child(&GraphicsDef::listens));
    return type;
}

} // namespace vireo::qemu
