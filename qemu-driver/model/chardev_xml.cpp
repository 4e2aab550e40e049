// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/chardev_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const SeclabelOverride*) {
    static const xml::Type type =
        xml::element<SeclabelOverride>("seclabel",
                                       xml::attr("model", &SeclabelOverride::model),
                                       xml::attr("relabel", &SeclabelOverride::relabel),
                                       xml::attr("labelskip", &SeclabelOverride::labelskip),
                                       xml::text("label", &SeclabelOverride::label));
    return type;
}

const xml::Type& describe(const ReconnectDef*) {
    static const xml::Type type =
        xml::element<ReconnectDef>("reconnect",
                                   xml::attr("enabled", &ReconnectDef::enabled),
                                   xml::attr("timeout", &ReconnectDef::timeout_s));
    return type;
}

static const xml::Type& describe(const NullChardev*) {
    static const xml::Type type = xml::element<NullChardev>("");
    return type;
}

static const xml::Type& describe(const VcChardev*) {
    static const xml::Type type = xml::element<VcChardev>("");
    return type;
}

static const xml::Type& describe(const StdioChardev*) {
    static const xml::Type type = xml::element<StdioChardev>("");
    return type;
}

static const xml::Type& describe(const SpicevmcChardev*) {
    static const xml::Type type = xml::element<SpicevmcChardev>("");
    return type;
}

static const xml::Type& describe(const PtyChardev*) {
    static const xml::Type type = xml::element<PtyChardev>(
        "",
        xml::group(
            "source", xml::attr("path", &PtyChardev::path), xml::child(&PtyChardev::seclabels)));
    return type;
}

static const xml::Type& describe(const DevChardev*) {
    static const xml::Type type = xml::element<DevChardev>(
        "",
        xml::group(
            "source", xml::attr("path", &DevChardev::path), xml::child(&DevChardev::seclabels)));
    return type;
}

static const xml::Type& describe(const FileChardev*) {
    static const xml::Type type =
        xml::element<FileChardev>("",
                                  xml::group("source",
                                             xml::attr("path", &FileChardev::path),
                                             xml::attr("append", &FileChardev::append),
                                             xml::child(&FileChardev::seclabels)));
    return type;
}

static const xml::Type& describe(const PipeChardev*) {
    static const xml::Type type = xml::element<PipeChardev>(
        "",
        xml::group(
            "source", xml::attr("path", &PipeChardev::path), xml::child(&PipeChardev::seclabels)));
    return type;
}

static const xml::Type& describe(const TcpChardev*) {
    static const xml::Type type = xml::element<TcpChardev>(
        "",
        xml::group("source",
                   xml::attr("mode", &TcpChardev::mode).optional(),
                   xml::attr("host", &TcpChardev::host),
                   xml::attr("service", &TcpChardev::service),
                   xml::attr("tls", &TcpChardev::tls),
                   xml::child(&TcpChardev::reconnect)),
        xml::group("protocol", xml::attr("type", &TcpChardev::protocol).optional()));
    return type;
}

namespace {

/// `<source mode='bind|connect' host= service=/>`: one element for each direction.
void parse_udp_source(UdpChardev& udp, const xml::Node& node, xml::Problems& problems) {
    const auto mode = node.attribute("mode").value_or("connect");
    std::optional<std::string> host, service;
    if (const auto text = node.attribute("host")) {
        host.emplace(*text);
    }
    if (const auto text = node.attribute("service")) {
        service.emplace(*text);
    }
    const bool bind = mode == "bind";
    if (!bind && mode != "connect") {
        problems.add(
            node.line(),
            node.path(),
            fmt::format("attribute 'mode': {} is not one of connect, bind", xml::quoted(mode)));
        return;
    }
    if (bind ? udp.bind_host || udp.bind_service : udp.connect_host || udp.connect_service) {
        problems.add(node.line(), node.path(), fmt::format("a second source with mode '{}'", mode));
        return;
    }
    (bind ? udp.bind_host : udp.connect_host) = std::move(host);
    (bind ? udp.bind_service : udp.connect_service) = std::move(service);
}

void format_udp_source(xml::Writer& writer,
                       std::string_view mode,
                       const std::optional<std::string>& host,
                       const std::optional<std::string>& service) {
    if (!host && !service) {
        return;
    }
    writer.open("source");
    writer.attribute("mode", mode);
    if (host) {
        writer.attribute("host", *host);
    }
    if (service) {
        writer.attribute("service", *service);
    }
    writer.close();
}

void format_udp(const UdpChardev& udp, xml::Writer& writer) {
    format_udp_source(writer, "bind", udp.bind_host, udp.bind_service);
    format_udp_source(writer, "connect", udp.connect_host, udp.connect_service);
}

} // namespace

static const xml::Type& describe(const UdpChardev*) {
    static const xml::Type type =
        xml::element<UdpChardev>("", xml::custom<&parse_udp_source, &format_udp>("source"));
    return type;
}

static const xml::Type& describe(const UnixChardev*) {
    static const xml::Type type = xml::element<UnixChardev>(
        "",
        xml::group("source",
                   xml::attr("mode", &UnixChardev::mode).optional(),
                   xml::attr("path", &UnixChardev::path),
                   xml::child(&UnixChardev::reconnect),
                   xml::child(&UnixChardev::seclabels))
            .write_if([](const UnixChardev& c) { return c.path.has_value(); }));
    return type;
}

static const xml::Type& describe(const SpiceportChardev*) {
    static const xml::Type type = xml::element<SpiceportChardev>(
        "", xml::group("source", xml::attr("channel", &SpiceportChardev::channel)));
    return type;
}

static const xml::Type& describe(const VdagentChardev*) {
    static const xml::Type type = xml::element<VdagentChardev>(
        "",
        xml::group(
            "source",
            xml::group("clipboard", xml::attr("copypaste", &VdagentChardev::clipboard_copypaste)),
            xml::group("mouse", xml::attr("mode", &VdagentChardev::mouse))));
    return type;
}

static const xml::Type& describe(const DbusChardev*) {
    static const xml::Type type = xml::element<DbusChardev>(
        "", xml::group("source", xml::attr("channel", &DbusChardev::channel)));
    return type;
}

static const xml::Type& describe(const ChardevLog*) {
    static const xml::Type type = xml::element<ChardevLog>(
        "log", xml::attr("file", &ChardevLog::file), xml::attr("append", &ChardevLog::append));
    return type;
}

const xml::Type& describe(const ChardevSource*) {
    static const xml::Type type =
        xml::element<ChardevSource>("",
                                    xml::kind<ChardevType>("type", &ChardevSource::backend),
                                    xml::one_of(&ChardevSource::backend),
                                    xml::child(&ChardevSource::log));
    return type;
}

const xml::Type& describe(const SerialDef*) {
    static const xml::Type type = xml::element<SerialDef>(
        "serial",
        xml::embed(&SerialDef::source),
        xml::group("target",
                   xml::attr("type", &SerialDef::target_type),
                   xml::attr("port", &SerialDef::target_port),
                   xml::group("model", xml::attr("name", &SerialDef::target_model))),
        xml::embed(&SerialDef::info));
    return type;
}

const xml::Type& describe(const ParallelDef*) {
    static const xml::Type type = xml::element<ParallelDef>(
        "parallel",
        xml::embed(&ParallelDef::source),
        xml::group("target", xml::attr("port", &ParallelDef::target_port)),
        xml::embed(&ParallelDef::info));
    return type;
}

const xml::Type& describe(const ConsoleDef*) {
    static const xml::Type type =
        xml::element<ConsoleDef>("console",
                                 xml::embed(&ConsoleDef::source),
                                 xml::attr("tty", &ConsoleDef::tty),
                                 xml::group("target",
                                            xml::attr("type", &ConsoleDef::target_type),
                                            xml::attr("port", &ConsoleDef::target_port)),
                                 xml::embed(&ConsoleDef::info));
    return type;
}

const xml::Type& describe(const ChannelDef*) {
    static const xml::Type type =
        xml::element<ChannelDef>("channel",
                                 xml::embed(&ChannelDef::source),
                                 xml::group("target",
                                            xml::attr("type", &ChannelDef::target_type),
                                            xml::attr("name", &ChannelDef::target_name),
                                            xml::attr("state", &ChannelDef::target_state),
                                            xml::attr("address", &ChannelDef::target_address),
                                            xml::attr("port", &ChannelDef::target_port)),
                                 xml::embed(&ChannelDef::info));
    return type;
}

} // namespace vireo::qemu
