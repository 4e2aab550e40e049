// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/chardev_def.hpp"
#include "qemu-driver/model/device_info.hpp"
#include "qemu-driver/model/disk_source.hpp"

/// `<interface>`.
namespace vireo::qemu {

enum class InterfaceType {
    user,
    ethernet,
    vhostuser,
    server,
    client,
    mcast,
    network,
    bridge,
    internal,
    direct,
    hostdev,
    udp,
    vdpa,
    null_,
    vds
};

struct UserSource {
    std::optional<std::string> dev;
};

struct IpDef {
    std::optional<std::string> family;
    std::string address;
    std::optional<uint32_t> prefix;
    std::optional<std::string> peer;
};

struct RouteDef {
    std::optional<std::string> family;
    std::string address;
    std::optional<std::string> netmask;
    std::optional<uint32_t> prefix;
    std::optional<std::string> gateway;
    std::optional<uint32_t> metric;
};

/// type='ethernet': addresses of the host's side.
struct EthernetSource {
    std::vector<IpDef> ips;
    std::vector<RouteDef> routes;
};

struct BridgeSource {
    std::string bridge;
};

struct NetworkInterfaceSource {
    std::string network;
    std::optional<std::string> portgroup;
    std::optional<std::string> port_id;
};

enum class DirectMode { vepa, private_, bridge, passthrough };

struct DirectSource {
    std::string dev;
    std::optional<DirectMode> mode;
};

/// type='vhostuser': a UNIX socket.
struct VhostUserInterfaceSource {
    VhostUserTransport transport{};
    std::string path;
    SocketMode mode{};
    std::optional<ReconnectDef> reconnect;
};

/// A socket between guests; each type that uses one has a struct of its own.
struct SocketSource {
    std::optional<std::string> address;
    uint32_t port{};
    /// type='udp': where to send from.
    std::optional<std::string> local_address;
    std::optional<uint32_t> local_port;
};

struct ServerSource : SocketSource {};

struct ClientSource : SocketSource {};

struct McastSource : SocketSource {};

struct UdpSource : SocketSource {};

/// type='hostdev': a PCI virtual function.
struct HostdevInterfaceSource {
    PciAddressKind kind{};
    PciAddress address;
    std::optional<YesNo> managed;
};

struct VdpaSource {
    std::string dev;
};

struct InternalSource {
    std::string name;
};

struct NullSource {};

/// A port of a VMware switch: not QEMU's, refused by `validate`.
struct VdsSource {};

/// In the order of `InterfaceType`.
using InterfaceSource = std::variant<UserSource,
                                     EthernetSource,
                                     VhostUserInterfaceSource,
                                     ServerSource,
                                     ClientSource,
                                     McastSource,
                                     NetworkInterfaceSource,
                                     BridgeSource,
                                     InternalSource,
                                     DirectSource,
                                     HostdevInterfaceSource,
                                     UdpSource,
                                     VdpaSource,
                                     NullSource,
                                     VdsSource>;

/// `vhost` and `qemu`: who moves virtio's packets; the others of a PCI function.
enum class InterfaceBackendDriver { vhost, qemu, kvm, vfio };
enum class TxMode { iothread, timer };

/// `<driver><host …/>`: offloads of the host's side; absent ones are QEMU's.
struct HostOffloads {
    std::optional<OnOff> csum;
    std::optional<OnOff> gso;
    std::optional<OnOff> tso4;
    std::optional<OnOff> tso6;
    std::optional<OnOff> ecn;
    std::optional<OnOff> ufo;
    std::optional<OnOff> mrg_rxbuf;
};

struct GuestOffloads {
    std::optional<OnOff> csum;
    std::optional<OnOff> tso4;
    std::optional<OnOff> tso6;
    std::optional<OnOff> ecn;
    std::optional<OnOff> ufo;
};

struct InterfaceDriver {
    std::optional<InterfaceBackendDriver> name;
    std::optional<TxMode> txmode;
    std::optional<OnOff> ioeventfd;
    std::optional<OnOff> event_idx;
    std::optional<uint32_t> queues;
    std::optional<uint32_t> rx_queue_size;
    std::optional<uint32_t> tx_queue_size;
    std::optional<OnOff> rss;
    std::optional<OnOff> rss_hash_report;
    VirtioOptions virtio;
    HostOffloads host;
    GuestOffloads guest;
};

enum class InterfaceBackendType { passt };

/// `<backend type= logFile= tap= vhost=/>`: who moves the packets; the device nodes to use.
struct InterfaceBackend {
    std::optional<InterfaceBackendType> type;
    std::optional<std::string> log_file;
    std::optional<std::string> tap;
    std::optional<std::string> vhost;
};

enum class PortProtocol { tcp, udp };

/// `<range start= end= to= exclude=/>`: ports of the host, and the guest's that the first goes to.
struct PortRange {
    uint32_t start{};
    std::optional<uint32_t> end;
    std::optional<uint32_t> to;
    std::optional<YesNo> exclude;
};

/// `<portForward>`: ports of the host that reach the guest.
struct PortForward {
    PortProtocol protocol{};
    std::optional<std::string> address;
    std::optional<std::string> dev;
    std::vector<PortRange> ranges;
};

enum class VlanNativeMode { tagged, untagged };

struct VlanTag {
    uint32_t id{};
    std::optional<VlanNativeMode> native_mode;
};

struct VlanDef {
    std::optional<YesNo> trunk;
    std::vector<VlanTag> tags;
};

/// `<virtualport type=><parameters …/>`; which parameters there are depends on the type.
struct VirtualPortDef {
    std::optional<std::string> type;
    std::optional<uint32_t> manager_id;
    std::optional<uint32_t> type_id;
    std::optional<uint32_t> type_id_version;
    std::optional<std::string> instance_id;
    std::optional<std::string> interface_id;
    std::optional<std::string> profile_id;
};

struct FilterParameter {
    std::string name;
    std::string value;
};

struct FilterRef {
    std::string filter;
    std::vector<FilterParameter> parameters;
};

/// `<inbound|outbound average= peak= burst= floor=/>`: KiB/s, burst in KiB.
struct BandwidthRate {
    std::optional<uint64_t> average;
    std::optional<uint64_t> peak;
    std::optional<uint64_t> burst;
    std::optional<uint64_t> floor;
};

struct BandwidthDef {
    std::optional<BandwidthRate> in;
    std::optional<BandwidthRate> out;
};

struct CoalesceDef {
    std::optional<uint32_t> rx_max_frames;
};

enum class TeamingType { persistent, transient };

struct TeamingDef {
    TeamingType type{};
    std::optional<std::string> persistent;
};

enum class LinkState { up, down };

struct InterfaceDef {
    InterfaceSource source;
    std::optional<YesNo> trust_guest_rx_filters;
    /// `aa:bb:cc:dd:ee:ff`; absent only before `fill_defaults`.
    std::optional<std::string> mac;
    std::optional<YesNo> mac_check;
    std::optional<std::string> mac_type;
    /// `<target dev= managed=/>`: the host's side.
    std::optional<std::string> target_dev;
    std::optional<YesNo> target_managed;
    std::optional<std::string> guest_dev;
    /// `<model type=/>`: QEMU's device without its bus suffix (`virtio`, `e1000`, `rtl8139`, …).
    std::optional<std::string> model;
    InterfaceDriver driver;
    InterfaceBackend backend;
    std::vector<PortForward> port_forwards;
    std::optional<std::string> script;
    std::optional<std::string> downscript;
    std::optional<std::string> backend_domain;
    std::optional<VirtualPortDef> virtual_port;
    std::optional<VlanDef> vlan;
    std::optional<YesNo> port_isolated;
    std::optional<FilterRef> filter;
    std::optional<BandwidthDef> bandwidth;
    std::optional<LinkState> link;
    std::optional<uint32_t> mtu;
    std::optional<CoalesceDef> coalesce;
    std::optional<TeamingDef> teaming;
    /// Bytes of the socket buffer (`<tune><sndbuf>`).
    std::optional<uint64_t> sndbuf_bytes;
    std::vector<IpDef> ips;
    std::vector<RouteDef> routes;
    DeviceInfo info;

    InterfaceType type() const { return static_cast<InterfaceType>(source.index()); }

    bool is_virtio() const {
        return model == "virtio" || model == "virtio-transitional" ||
               model == "virtio-non-transitional";
    }
};

const xml::Type& describe(const InterfaceDef*);
const xml::Type& describe(const TeamingDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::InterfaceType> {
    static constexpr std::array<std::string_view, 15> names{"user",
                                                            "ethernet",
                                                            "vhostuser",
                                                            "server",
                                                            "client",
                                                            "mcast",
                                                            "network",
                                                            "bridge",
                                                            "internal",
                                                            "direct",
                                                            "hostdev",
                                                            "udp",
                                                            "vdpa",
                                                            "null",
                                                            "vds"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::DirectMode> {
    static constexpr std::array<std::string_view, 4> names{
        "vepa", "private", "bridge", "passthrough"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::InterfaceBackendDriver> {
    static constexpr std::array<std::string_view, 4> names{"vhost", "qemu", "kvm", "vfio"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::InterfaceBackendType> {
    static constexpr std::array<std::string_view, 1> names{"passt"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PortProtocol> {
    static constexpr std::array<std::string_view, 2> names{"tcp", "udp"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TxMode> {
    static constexpr std::array<std::string_view, 2> names{"iothread", "timer"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VlanNativeMode> {
    static constexpr std::array<std::string_view, 2> names{"tagged", "untagged"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::TeamingType> {
    static constexpr std::array<std::string_view, 2> names{"persistent", "transient"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::LinkState> {
    static constexpr std::array<std::string_view, 2> names{"up", "down"};
};
