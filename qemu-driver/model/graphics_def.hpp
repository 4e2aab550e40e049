// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

/// `<graphics>`: where a client can see the guest's screen.
namespace vireo::qemu {

struct AddressListen {
    std::optional<std::string> address;
};

struct NetworkListen {
    std::string network;
    /// Of a running guest: the network's address.
    std::optional<std::string> address;
};

struct SocketListen {
    /// Absent: the driver chooses one in its own folder (`auto_`).
    std::optional<std::string> path;
};

struct NoneListen {};

enum class ListenType { address, network, socket, none };

struct GraphicsListen {
    /// In the order of `ListenType`.
    std::variant<AddressListen, NetworkListen, SocketListen, NoneListen> kind;

    ListenType type() const { return static_cast<ListenType>(kind.index()); }
};

/// Password of VNC or SPICE. Written only where secrets are asked for.
struct GraphicsPassword {
    std::optional<std::string> password;
    /// UTC, `2010-04-09T15:51:00`.
    std::optional<std::string> valid_to;
    /// `keep`, `disconnect` or `fail`: what happens to a client when it changes.
    std::optional<std::string> connected;
};

enum class VncSharePolicy { allow_exclusive, force_shared, ignore };

struct VncGraphics {
    /// TCP port; -1: chosen when the guest starts.
    std::optional<int32_t> port;
    std::optional<YesNo> autoport;
    /// Port of the WebSocket server; -1: chosen when the guest starts.
    std::optional<int32_t> websocket;
    std::optional<std::string> keymap;
    std::optional<VncSharePolicy> share_policy;
    std::optional<YesNo> power_control;
    std::optional<uint32_t> audio_id;
    GraphicsPassword password;
};

enum class SpiceChannelName {
    main,
    display,
    inputs,
    cursor,
    playback,
    record,
    smartcard,
    usbredir
};
enum class SpiceChannelMode { any, secure, insecure };
enum class SpiceImageCompression { auto_glz, auto_lz, quic, glz, lz, off };
enum class SpiceCompression { auto_, never, always };
enum class SpiceStreamingMode { filter, all, off };
enum class SpiceMouseMode { client, server };

struct SpiceChannel {
    SpiceChannelName name{};
    SpiceChannelMode mode{};
};

struct SpiceGraphics {
    /// TCP ports; -1: chosen when the guest starts.
    std::optional<int32_t> port;
    std::optional<int32_t> tls_port;
    std::optional<YesNo> autoport;
    std::optional<std::string> keymap;
    std::optional<SpiceChannelMode> default_mode;
    std::vector<SpiceChannel> channels;
    std::optional<SpiceImageCompression> image_compression;
    std::optional<SpiceCompression> jpeg_compression;
    std::optional<SpiceCompression> zlib_compression;
    std::optional<OnOff> playback_compression;
    std::optional<SpiceStreamingMode> streaming_mode;
    std::optional<SpiceMouseMode> mouse_mode;
    std::optional<YesNo> clipboard_copypaste;
    std::optional<YesNo> filetransfer_enable;
    std::optional<YesNo> gl_enable;
    std::optional<std::string> rendernode;
    GraphicsPassword password;
};

struct SdlGraphics {
    std::optional<std::string> display;
    std::optional<std::string> xauth;
    std::optional<YesNo> fullscreen;
    std::optional<YesNo> gl_enable;
};

struct EglHeadlessGraphics {
    std::optional<std::string> rendernode;
};

struct DbusGraphics {
    std::optional<YesNo> p2p;
    std::optional<std::string> address;
    std::optional<YesNo> gl_enable;
    std::optional<std::string> rendernode;
    std::optional<uint32_t> audio_id;
};

/// Known to libvirt's format, not to QEMU: refused by `validate`.
struct RdpGraphics {
    std::optional<int32_t> port;
    std::optional<YesNo> autoport;
    std::optional<YesNo> replace_user;
    std::optional<YesNo> multi_user;
};

struct DesktopGraphics {
    std::optional<std::string> display;
    std::optional<YesNo> fullscreen;
};

enum class GraphicsType { vnc, spice, sdl, egl_headless, dbus, rdp, desktop };

/// In the order of `GraphicsType`.
using GraphicsKind = std::variant<VncGraphics,
                                  SpiceGraphics,
                                  SdlGraphics,
                                  EglHeadlessGraphics,
                                  DbusGraphics,
                                  RdpGraphics,
                                  DesktopGraphics>;

struct GraphicsDef {
    GraphicsKind kind;
    /// VNC and SPICE: at least one after `fill_defaults`.
    std::vector<GraphicsListen> listens;
    /// The `listen=` attribute: the same as the first `<listen type='address'>`, which
    /// `fill_defaults` makes of it where the document has the attribute alone.
    std::optional<std::string> listen_attribute;
    /// The `socket=` attribute of VNC, likewise for `<listen type='socket'>`.
    std::optional<std::string> socket_attribute;
    xml::Where where;

    GraphicsType type() const { return static_cast<GraphicsType>(kind.index()); }
};

const xml::Type& describe(const GraphicsDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::ListenType> {
    static constexpr std::array<std::string_view, 4> names{"address", "network", "socket", "none"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VncSharePolicy> {
    static constexpr std::array<std::string_view, 3> names{
        "allow-exclusive", "force-shared", "ignore"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SpiceChannelName> {
    static constexpr std::array<std::string_view, 8> names{
        "main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SpiceChannelMode> {
    static constexpr std::array<std::string_view, 3> names{"any", "secure", "insecure"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SpiceImageCompression> {
    static constexpr std::array<std::string_view, 6> names{
        "auto_glz", "auto_lz", "quic", "glz", "lz", "off"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SpiceCompression> {
    static constexpr std::array<std::string_view, 3> names{"auto", "never", "always"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SpiceStreamingMode> {
    static constexpr std::array<std::string_view, 3> names{"filter", "all", "off"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SpiceMouseMode> {
    static constexpr std::array<std::string_view, 2> names{"client", "server"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::GraphicsType> {
    static constexpr std::array<std::string_view, 7> names{
        "vnc", "spice", "sdl", "egl-headless", "dbus", "rdp", "desktop"};
};
