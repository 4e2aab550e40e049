// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/interface_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

/// A vhost-user socket's mode is of QEMU's side, in the words of older documents.
struct SocketModeWords {
    std::string parse(std::string_view text, SocketMode& out) const {
        if (text != "client" && text != "server") {
            return "is not one of client, server";
        }
        out = text == "client" ? SocketMode::connect : SocketMode::bind;
        return {};
    }

    void format(const SocketMode& value, std::string& out) const {
        out += value == SocketMode::connect ? "client" : "server";
    }
};

} // namespace

static const xml::Type& describe(const IpDef*) {
    static const xml::Type type = xml::element<IpDef>("ip",
                                                      xml::attr("address", &IpDef::address),
                                                      xml::attr("family", &IpDef::family),
                                                      xml::attr("prefix", &IpDef::prefix),
                                                      xml::attr("peer", &IpDef::peer));
    return type;
}

static const xml::Type& describe(const RouteDef*) {
    static const xml::Type type = xml::element<RouteDef>("route",
                                                         xml::attr("family", &RouteDef::family),
                                                         xml::attr("address", &RouteDef::address),
                                                         xml::attr("netmask", &RouteDef::netmask),
                                                         xml::attr("prefix", &RouteDef::prefix),
                                                         xml::attr("gateway", &RouteDef::gateway),
                                                         xml::attr("metric", &RouteDef::metric));
    return type;
}

static const xml::Type& describe(const UserSource*) {
    static const xml::Type type =
        xml::element<UserSource>("", xml::group("source", xml::attr("dev", &UserSource::dev)));
    return type;
}

static const xml::Type& describe(const EthernetSource*) {
    static const xml::Type type = xml::element<EthernetSource>(
        "",
        xml::group(
            "source", xml::child(&EthernetSource::ips), xml::child(&EthernetSource::routes)));
    return type;
}

static const xml::Type& describe(const VhostUserInterfaceSource*) {
    static const xml::Type type = xml::element<VhostUserInterfaceSource>(
        "",
        xml::group("source",
                   xml::attr("type", &VhostUserInterfaceSource::transport),
                   xml::attr("path", &VhostUserInterfaceSource::path),
                   xml::attr("mode", &VhostUserInterfaceSource::mode, SocketModeWords{}),
                   xml::child(&VhostUserInterfaceSource::reconnect)));
    return type;
}

namespace {

template <class S>
xml::Type socket_source() {
    return xml::element<S>("",
                           xml::group("source",
                                      xml::attr("address", &SocketSource::address),
                                      xml::attr("port", &SocketSource::port)));
}

} // namespace

static const xml::Type& describe(const ServerSource*) {
    static const xml::Type type = socket_source<ServerSource>();
    return type;
}

static const xml::Type& describe(const ClientSource*) {
    static const xml::Type type = socket_source<ClientSource>();
    return type;
}

static const xml::Type& describe(const McastSource*) {
    static const xml::Type type = socket_source<McastSource>();
    return type;
}

static const xml::Type& describe(const UdpSource*) {
    static const xml::Type type = xml::element<UdpSource>(
        "",
        xml::group("source",
                   xml::attr("address", &SocketSource::address),
                   xml::attr("port", &SocketSource::port),
                   xml::group("local",
                              xml::attr("address", &SocketSource::local_address),
                              xml::attr("port", &SocketSource::local_port))));
    return type;
}

static const xml::Type& describe(const NetworkInterfaceSource*) {
    static const xml::Type type = xml::element<NetworkInterfaceSource>(
        "",
        xml::group("source",
                   xml::attr("network", &NetworkInterfaceSource::network),
                   xml::attr("portgroup", &NetworkInterfaceSource::portgroup),
                   xml::attr("portid", &NetworkInterfaceSource::port_id)));
    return type;
}

static const xml::Type& describe(const BridgeSource*) {
    static const xml::Type type = xml::element<BridgeSource>(
        "", xml::group("source", xml::attr("bridge", &BridgeSource::bridge)));
    return type;
}

static const xml::Type& describe(const InternalSource*) {
    static const xml::Type type = xml::element<InternalSource>(
        "", xml::group("source", xml::attr("name", &InternalSource::name)));
    return type;
}

static const xml::Type& describe(const DirectSource*) {
    static const xml::Type type =
        xml::element<DirectSource>("",
                                   xml::group("source",
                                              xml::attr("dev", &DirectSource::dev),
                                              xml::attr("mode", &DirectSource::mode)));
    return type;
}

static const xml::Type& describe(const HostdevInterfaceSource*) {
    static const xml::Type type = xml::element<HostdevInterfaceSource>(
        "",
        xml::attr("managed", &HostdevInterfaceSource::managed),
        xml::group("source",
                   xml::group("address",
                              xml::attr("type", &HostdevInterfaceSource::kind),
                              xml::embed(&HostdevInterfaceSource::address))));
    return type;
}

static const xml::Type& describe(const VdpaSource*) {
    static const xml::Type type =
        xml::element<VdpaSource>("", xml::group("source", xml::attr("dev", &VdpaSource::dev)));
    return type;
}

static const xml::Type& describe(const NullSource*) {
    static const xml::Type type = xml::element<NullSource>("");
    return type;
}

static const xml::Type& describe(const VdsSource*) {
    static const xml::Type type = xml::element<VdsSource>("");
    return type;
}

static const xml::Type& describe(const HostOffloads*) {
    static const xml::Type type =
        xml::element<HostOffloads>("host",
                                   xml::attr("csum", &HostOffloads::csum),
                                   xml::attr("gso", &HostOffloads::gso),
                                   xml::attr("tso4", &HostOffloads::tso4),
                                   xml::attr("tso6", &HostOffloads::tso6),
                                   xml::attr("ecn", &HostOffloads::ecn),
                                   xml::attr("ufo", &HostOffloads::ufo),
                                   xml::attr("mrg_rxbuf", &HostOffloads::mrg_rxbuf));
    return type;
}

static const xml::Type& describe(const GuestOffloads*) {
    static const xml::Type type =
        xml::element<GuestOffloads>("guest",
                                    xml::attr("csum", &GuestOffloads::csum),
                                    xml::attr("tso4", &GuestOffloads::tso4),
                                    xml::attr("tso6", &GuestOffloads::tso6),
                                    xml::attr("ecn", &GuestOffloads::ecn),
                                    xml::attr("ufo", &GuestOffloads::ufo));
    return type;
}

static const xml::Type& describe(const InterfaceDriver*) {
    static const xml::Type type = xml::element<InterfaceDriver>(
        "driver",
        xml::attr("name", &InterfaceDriver::name),
        xml::attr("txmode", &InterfaceDriver::txmode),
        xml::attr("ioeventfd", &InterfaceDriver::ioeventfd),
        xml::attr("event_idx", &InterfaceDriver::event_idx),
        xml::attr("queues", &InterfaceDriver::queues),
        xml::attr("rx_queue_size", &InterfaceDriver::rx_queue_size),
        xml::attr("tx_queue_size", &InterfaceDriver::tx_queue_size),
        xml::attr("rss", &InterfaceDriver::rss),
        xml::attr("rss_hash_report", &InterfaceDriver::rss_hash_report),
        xml::embed(&InterfaceDriver::virtio),
        xml::child(&InterfaceDriver::host).omit_empty(),
        xml::child(&InterfaceDriver::guest).omit_empty());
    return type;
}

static const xml::Type& describe(const InterfaceBackend*) {
    static const xml::Type type =
        xml::element<InterfaceBackend>("backend",
                                       xml::attr("type", &InterfaceBackend::type),
                                       xml::attr("logFile", &InterfaceBackend::log_file),
                                       xml::attr("tap", &InterfaceBackend::tap),
                                       xml::attr("vhost", &InterfaceBackend::vhost));
    return type;
}

static const xml::Type& describe(const PortRange*) {
    static const xml::Type type =
        xml::element<PortRange>("range",
                                xml::attr("start", &PortRange::start),
                                xml::attr("end", &PortRange::end),
                                xml::attr("to", &PortRange::to),
                                xml::attr("exclude", &PortRange::exclude));
    return type;
}

static const xml::Type& describe(const PortForward*) {
    static const xml::Type type =
        xml::element<PortForward>("portForward",
                                  xml::attr("proto", &PortForward::protocol),
                                  xml::attr("address", &PortForward::address),
                                  xml::attr("dev", &PortForward::dev),
                                  xml::child(&PortForward::ranges));
    return type;
}

static const xml::Type& describe(const VlanTag*) {
    static const xml::Type type = xml::element<VlanTag>(
        "tag", xml::attr("id", &VlanTag::id), xml::attr("nativeMode", &VlanTag::native_mode));
    return type;
}

static const xml::Type& describe(const VlanDef*) {
    static const xml::Type type = xml::element<VlanDef>(
        "vlan", xml::attr("trunk", &VlanDef::trunk), xml::child(&VlanDef::tags));
    return type;
}

static const xml::Type& describe(const VirtualPortDef*) {
    static const xml::Type type = xml::element<VirtualPortDef>(
        "virtualport",
        xml::attr("type", &VirtualPortDef::type),
        xml::group("parameters",
                   xml::attr("managerid", &VirtualPortDef::manager_id, xml::any_base),
                   xml::attr("typeid", &VirtualPortDef::type_id, xml::any_base),
                   xml::attr("typeidversion", &VirtualPortDef::type_id_version, xml::any_base),
                   xml::attr("instanceid", &VirtualPortDef::instance_id, xml::uuid),
                   xml::attr("interfaceid", &VirtualPortDef::interface_id, xml::uuid),
                   xml::attr("profileid", &VirtualPortDef::profile_id)));
    return type;
}

static const xml::Type& describe(const FilterParameter*) {
    static const xml::Type type =
        xml::element<FilterParameter>("parameter",
                                      xml::attr("name", &FilterParameter::name),
                                      xml::attr("value", &FilterParameter::value));
    return type;
}

static const xml::Type& describe(const FilterRef*) {
    static const xml::Type type = xml::element<FilterRef>(
        "filterref", xml::attr("filter", &FilterRef::filter), xml::child(&FilterRef::parameters));
    return type;
}

static const xml::Type& describe(const BandwidthRate*) {
    static const xml::Type type =
        xml::element<BandwidthRate>("",
                                    xml::attr("average", &BandwidthRate::average),
                                    xml::attr("peak", &BandwidthRate::peak),
                                    xml::attr("floor", &BandwidthRate::floor),
                                    xml::attr("burst", &BandwidthRate::burst));
    return type;
}

static const xml::Type& describe(const BandwidthDef*) {
    static const xml::Type type =
        xml::element<BandwidthDef>("bandwidth",
                                   xml::child("inbound", &BandwidthDef::in),
                                   xml::child("outbound", &BandwidthDef::out));
    return type;
}

static const xml::Type& describe(const CoalesceDef*) {
    static const xml::Type type = xml::element<CoalesceDef>(
        "coalesce",
        xml::group("rx", xml::group("frames", xml::attr("max", &CoalesceDef::rx_max_frames))));
    return type;
}

const xml::Type& describe(const TeamingDef*) {
    static const xml::Type type =
        xml::element<TeamingDef>("teaming",
                                 xml::attr("type", &TeamingDef::type),
                                 xml::attr("persistent", &TeamingDef::persistent));
    return type;
}

const xml::Type& describe(const InterfaceDef*) {
    static const xml::Type type = xml::element<InterfaceDef>(
        "interface",
        xml::kind<InterfaceType>("type", &InterfaceDef::source),
        xml::attr("trustGuestRxFilters", &InterfaceDef::trust_guest_rx_filters),
        xml::group("mac",
                   xml::attr("address", &InterfaceDef::mac, xml::mac),
                   xml::attr("type", &InterfaceDef::mac_type),
                   xml::attr("check", &InterfaceDef::mac_check)),
        xml::one_of(&InterfaceDef::source),
        xml::child(&InterfaceDef::virtual_port),
        xml::child(&InterfaceDef::vlan),
        xml::group("port", xml::attr("isolated", &InterfaceDef::port_isolated)),
        xml::group("script", xml::attr("path", &InterfaceDef::script)),
        xml::group("downscript", xml::attr("path", &InterfaceDef::downscript)),
        xml::group("backenddomain", xml::attr("name", &InterfaceDef::backend_domain)),
        xml::group("target",
                   xml::attr("dev", &InterfaceDef::target_dev),
                   xml::attr("managed", &InterfaceDef::target_managed)),
        xml::group("guest", xml::attr("dev", &InterfaceDef::guest_dev)),
        xml::group("model", xml::attr("type", &InterfaceDef::model)),
        xml::child(&InterfaceDef::driver).omit_empty(),
        xml::child(&InterfaceDef::backend).omit_empty(),
        xml::child(&InterfaceDef::port_forwards),
        xml::child(&InterfaceDef::filter),
        xml::group("tune", xml::text("sndbuf", &InterfaceDef::sndbuf_bytes)),
        xml::group("link", xml::attr("state", &InterfaceDef::link)),
        xml::group("mtu", xml::attr("size", &InterfaceDef::mtu)),
        xml::child(&InterfaceDef::coalesce),
        xml::child(&InterfaceDef::teaming),
        xml::child(&InterfaceDef::ips),
        xml::child(&InterfaceDef::routes),
        xml::child(&InterfaceDef::bandwidth),
        xml::embed(&InterfaceDef::info));
    return type;
}

} // namespace vireo::qemu
