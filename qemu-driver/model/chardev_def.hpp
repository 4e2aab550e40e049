// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"
#include "qemu-driver/model/reconnect_def.hpp"
#include "qemu-driver/model/seclabel_def.hpp"

/// Character devices: the host's side (`ChardevSource`), and serial, parallel, console and channel
/// devices of the guest that use one.
namespace vireo::qemu {

struct NullChardev {};

struct VcChardev {};

struct StdioChardev {};

struct PtyChardev {
    /// Of a running guest: the slave's path.
    std::optional<std::string> path;
    std::vector<SeclabelOverride> seclabels;
};

/// A device node of the host.
struct DevChardev {
    std::optional<std::string> path;
    std::vector<SeclabelOverride> seclabels;
};

struct FileChardev {
    std::string path;
    std::optional<OnOff> append;
    std::vector<SeclabelOverride> seclabels;
};

struct PipeChardev {
    std::string path;
    std::vector<SeclabelOverride> seclabels;
};

enum class SocketMode { connect, bind };
enum class TcpProtocol { raw, telnet, telnets, tls };

struct TcpChardev {
    SocketMode mode{};
    std::optional<std::string> host;
    std::optional<std::string> service;
    TcpProtocol protocol{};
    std::optional<YesNo> tls;
    std::optional<ReconnectDef> reconnect;
};

struct UdpChardev {
    std::optional<std::string> bind_host;
    std::optional<std::string> bind_service;
    std::optional<std::string> connect_host;
    std::optional<std::string> connect_service;
};

struct UnixChardev {
    SocketMode mode{};
    /// Absent: the driver chooses one in its own folder.
    std::optional<std::string> path;
    std::optional<ReconnectDef> reconnect;
    std::vector<SeclabelOverride> seclabels;
};

struct SpicevmcChardev {};

struct SpiceportChardev {
    std::string channel;
};

enum class VdagentMouseMode { client, server };

/// type='qemu-vdagent': clipboard and mouse without SPICE.
struct VdagentChardev {
    std::optional<YesNo> clipboard_copypaste;
    std::optional<VdagentMouseMode> mouse;
};

struct DbusChardev {
    /// Absent only before `fill_defaults`, of a `<redirdev>`.
    std::optional<std::string> channel;
};

enum class ChardevType {
    null_,
    vc,
    stdio,
    pty,
    dev,
    file,
    pipe,
    tcp,
    udp,
    unix,
    spicevmc,
    spiceport,
    qemu_vdagent,
    dbus
};

/// In the order of `ChardevType`.
using ChardevBackend = std::variant<NullChardev,
                                    VcChardev,
                                    StdioChardev,
                                    PtyChardev,
                                    DevChardev,
                                    FileChardev,
                                    PipeChardev,
                                    TcpChardev,
                                    UdpChardev,
                                    UnixChardev,
                                    SpicevmcChardev,
                                    SpiceportChardev,
                                    VdagentChardev,
                                    DbusChardev>;

struct ChardevLog {
    std::string file;
    std::optional<OnOff> append;
};

/// The host's side of a character device.
struct ChardevSource {
    ChardevBackend backend;
    std::optional<ChardevLog> log;

    ChardevType type() const { return static_cast<ChardevType>(backend.index()); }
};

enum class SerialTargetType { isa_serial, usb_serial, pci_serial, isa_debug };
enum class SerialTargetModel { isa_serial, usb_serial, pci_serial, isa_debugcon };

struct SerialDef {
    ChardevSource source;
    std::optional<SerialTargetType> target_type;
    std::optional<SerialTargetModel> target_model;
    /// Absent only before `fill_defaults`.
    std::optional<uint32_t> target_port;
    DeviceInfo info;
};

struct ParallelDef {
    ChardevSource source;
    std::optional<uint32_t> target_port;
    DeviceInfo info;
};

enum class ConsoleTargetType { serial, virtio, xen, uml, lxc, openvz, sclp, sclplm };

struct ConsoleDef {
    ChardevSource source;
    std::optional<ConsoleTargetType> target_type;
    std::optional<uint32_t> target_port;
    /// The deprecated `tty=` attribute of a running guest with a pty.
    std::optional<std::string> tty;
    DeviceInfo info;
};

enum class ChannelTargetType { guestfwd, virtio, xen };
enum class ChannelState { disconnected, connected };

struct ChannelDef {
    ChardevSource source;
    ChannelTargetType target_type{};
    /// virtio: the port's name in the guest (`org.qemu.guest_agent.0`).
    std::optional<std::string> target_name;
    std::optional<ChannelState> target_state;
    /// guestfwd: the address in the guest's user network.
    std::optional<std::string> target_address;
    std::optional<uint32_t> target_port;
    DeviceInfo info;
};

const xml::Type& describe(const ChardevSource*);
const xml::Type& describe(const SerialDef*);
const xml::Type& describe(const ParallelDef*);
const xml::Type& describe(const ConsoleDef*);
const xml::Type& describe(const ChannelDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::SocketMode> {
    static constexpr std::array<std::string_view, 2> names{"connect", "bind"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TcpProtocol> {
    static constexpr std::array<std::string_view, 4> names{"raw", "telnet", "telnets", "tls"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VdagentMouseMode> {
    static constexpr std::array<std::string_view, 2> names{"client", "server"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ChardevType> {
    static constexpr std::array<std::string_view, 14> names{"null",
                                                            "vc",
                                                            "stdio",
                                                            "pty",
                                                            "dev",
                                                            "file",
                                                            "pipe",
                                                            "tcp",
                                                            "udp",
                                                            "unix",
                                                            "spicevmc",
                                                            "spiceport",
                                                            "qemu-vdagent",
                                                            "dbus"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SerialTargetType> {
    static constexpr std::array<std::string_view, 4> names{
        "isa-serial", "usb-serial", "pci-serial", "isa-debug"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::SerialTargetModel> {
    static constexpr std::array<std::string_view, 4> names{
        "isa-serial", "usb-serial", "pci-serial", "isa-debugcon"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ConsoleTargetType> {
    static constexpr std::array<std::string_view, 8> names{
        "serial", "virtio", "xen", "uml", "lxc", "openvz", "sclp", "sclplm"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ChannelTargetType> {
    static constexpr std::array<std::string_view, 3> names{"guestfwd", "virtio", "xen"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ChannelState> {
    static constexpr std::array<std::string_view, 2> names{"disconnected", "connected"};
};
