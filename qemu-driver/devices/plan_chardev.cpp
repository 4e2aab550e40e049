// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_chardev.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_secret.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Writes one backend both ways: `text` for the command line, where QEMU knows no JSON for
/// -chardev, and `backend` for `chardev-add`.
class BackendWriter {
  public:
    BackendWriter(const PlanContext& context, Plan& before, const ChardevNames& names)
        : context_(context), before_(before), names_(names), alias_(names.alias) {}

    void operator()(const NullChardev&) { plain("null"); }

    void operator()(const VcChardev&) { plain("vc"); }

    void operator()(const StdioChardev&) { plain("stdio"); }

    void operator()(const PtyChardev&) { plain("pty"); }

    void operator()(const DevChardev& dev) { device("serial", dev.path.value_or("")); }

    void operator()(const PipeChardev& pipe) { device("pipe", pipe.path); }

    void operator()(const FileChardev& file) {
        start("file");
        const bool append = file.append == OnOff::on;
        if (context_.facts.settings.pass_chardev_files) {
            // The daemon truncates it, so QEMU must not do so again.
            const auto kind = append ? DescriptorKind::file_append : DescriptorKind::file_truncate;
            const std::string path = pass_file(kind, file.path, "source");
            text.add("path", path).add("append", "on");
            data["out"] = path;
            data["append"] = true;
            return;
        }
        text.add("path", file.path);
        data["out"] = file.path;
        if (file.append) {
            text.on_off("append", append);
            data["append"] = append;
        }
    }

    void operator()(const TcpChardev& tcp) {
        const bool listen = tcp.mode == SocketMode::bind;
        const std::string host = tcp.host.value_or("");
        const std::string service = tcp.service.value_or("");
        start("socket");
        text.add("host", host).add("port", service);
        data["addr"] = inet_address(host, service);
        if (tcp.protocol == TcpProtocol::telnet) {
            text.on_off("telnet", true);
            data["telnet"] = true;
        } else if (tcp.protocol != TcpProtocol::raw) {
            refuse(fmt::format("protocol '{}'", name_of(tcp.protocol)));
        }
        listening(listen);
        if (!listen) {
            reconnect(tcp.reconnect);
        }
        if (tcp.tls == YesNo::yes || (!tcp.tls && context_.facts.settings.chardev_tls)) {
            add_tls(listen);
        }
    }

    void operator()(const UdpChardev& udp) {
        start("udp");
        text.add("host", udp.connect_host.value_or(""))
            .add("port", udp.connect_service.value_or(""));
        data["remote"] =
            inet_address(udp.connect_host.value_or(""), udp.connect_service.value_or(""));
        const std::string host = udp.bind_host.value_or("");
        const std::string service = udp.bind_service.value_or("0");
        text.add("localaddr", host).add("localport", service);
        data["local"] = inet_address(host, service);
    }

    void operator()(const UnixChardev& unix) {
        start("socket");
        // What lies in the daemon's own folder it chose itself, for an earlier start.
        const bool open = !unix.path || (!names_.channel.empty() &&
                                         unix.path->starts_with(context_.facts.channel_dir + "/"));
        if (unix.mode == SocketMode::bind && names_.waits_for_client) {
            own_socket(unix.path.value_or(""));
            return;
        }
        if (unix.mode == SocketMode::bind || (open && !names_.channel.empty())) {
            Descriptor socket;
            socket.kind = DescriptorKind::unix_listen;
            socket.path = open ? context_.facts.channel_dir + "/" + names_.channel : *unix.path;
            socket.owner = alias_;
            const std::string fd = context_.descriptors.pass(std::move(socket));
            text.add("fd", fd);
            json address = json::object();
            address["type"] = "fd";
            address["data"]["str"] = fd;
            data["addr"] = std::move(address);
            listening(true);
            return;
        }
        if (!unix.path) {
            refuse("mode 'connect' without a path");
        }
        socket_path(*unix.path);
        listening(false);
        reconnect(unix.reconnect);
    }

    void operator()(const SpicevmcChardev&) { spice("spicevmc", "type", names_.spice); }

    void operator()(const SpiceportChardev& port) { spice("spiceport", "fqdn", port.channel); }

    void operator()(const VdagentChardev& agent) {
        start("qemu-vdagent");
        const bool clipboard = agent.clipboard_copypaste == YesNo::yes;
        const bool mouse = agent.mouse == VdagentMouseMode::client;
        text.add("name", "vdagent").on_off("clipboard", clipboard).on_off("mouse", mouse);
        data["clipboard"] = clipboard;
        data["mouse"] = mouse;
    }

    void operator()(const DbusChardev& dbus) {
        start("dbus");
        text.add("name", dbus.channel.value());
        data["name"] = *dbus.channel;
    }

    void log_to(const ChardevLog& log) {
        if (context_.facts.settings.pass_chardev_files) {
            const auto kind = log.append == OnOff::off ? DescriptorKind::file_truncate
                                                       : DescriptorKind::file_append;
            const std::string path = pass_file(kind, log.file, "log");
            text.add("logfile", path).on_off("logappend", true);
            data["logfile"] = path;
            data["logappend"] = true;
            return;
        }
        text.add("logfile", log.file);
        data["logfile"] = log.file;
        if (log.append) {
            text.on_off("logappend", *log.append == OnOff::on);
            data["logappend"] = *log.append == OnOff::on;
        }
    }

    Step finish() {
        json props = json::object();
        props["id"] = names_.id;
        props["backend"]["type"] = type_;
        props["backend"]["data"] = std::move(data);
        Step step = option_step("-chardev", text.take());
        step.command = "chardev-add";
        step.props = std::move(props);
        return step;
    }

    OptionText text;
    json data = json::object();

  private:
    void start(const char* type) {
        if (!context_.caps.chardev_types.contains(type)) {
            throw Error(ErrorCode::config_unsupported,
                        "device '{}': '{}' has no character device '{}'",
                        alias_,
                        context_.caps.binary,
                        type);
        }
        type_ = type;
        text.word(type).add("id", names_.id);
    }

    void plain(const char* type) { start(type); }

    void device(const char* type, const std::string& path) {
        start(type);
        text.add("path", path);
        data["device"] = path;
    }

    void spice(const char* type, const char* key, const std::string& name) {
        start(type);
        text.add("name", name);
        data[key] = name;
    }

    static json inet_address(const std::string& host, const std::string& service) {
        json address = json::object();
        address["type"] = "inet";
        address["data"]["host"] = host;
        address["data"]["port"] = service;
        return address;
    }

    void socket_path(const std::string& path) {
        text.add("path", path);
        data["addr"]["type"] = "unix";
        data["addr"]["data"]["path"] = path;
    }

    void own_socket(const std::string& path) {
        socket_path(path);
        text.on_off("server", true);
        data["server"] = true;
    }

    void listening(bool listen) {
        data["server"] = listen;
        if (listen) {
            text.on_off("server", true).on_off("wait", false);
            data["wait"] = false;
        }
    }

    void reconnect(const std::optional<ReconnectDef>& wish) {
        if (!wish || !wish->enabled) {
            return;
        }
        const uint64_t seconds =
            *wish->enabled == YesNo::yes ? wish->timeout_s.value_or(0) : uint64_t{0};
        text.add("reconnect", seconds);
        data["reconnect"] = seconds;
    }

    void add_tls(bool listen) {
        const LaunchSettings& settings = context_.facts.settings;
        TlsWish wish;
        wish.id = fmt::format("objchar{}_tls0", alias_);
        wish.dir = settings.chardev_tls_x509_cert_dir;
        wish.listens = listen;
        // A client always checks the server; a server checks clients where the setting asks for it.
        wish.verify_peer = listen ? settings.chardev_tls_x509_verify : true;
        wish.secret_uuid = settings.chardev_tls_x509_secret_uuid;
        wish.secret_id = fmt::format("char{}-secret0", alias_);
        append(before_, plan_tls_credentials(context_, wish));
        text.add("tls-creds", wish.id);
        data["tls-creds"] = wish.id;
    }

    std::string pass_file(DescriptorKind kind, const std::string& path, const char* role) {
        Descriptor file;
        file.kind = kind;
        file.path = path;
        file.owner = alias_;
        return context_.descriptors.pass_as_path(
            std::move(file), before_, fmt::format("{}-{}", alias_, role));
    }

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(
            ErrorCode::config_unsupported, "device '{}': {} is not supported", alias_, what);
    }

    const PlanContext& context_;
    Plan& before_;
    const ChardevNames& names_;
    const std::string& alias_;
    std::string type_;
};

} // namespace

Plan plan_chardev(const PlanContext& context,
                  const ChardevSource& source,
                  const ChardevNames& names) {
    Plan plan;
    BackendWriter writer(context, plan, names);
    std::visit(writer, source.backend);
    if (source.log) {
        writer.log_to(*source.log);
    }
    plan.push_back(writer.finish());
    return plan;
}

Plan plan_chardev(const PlanContext& context,
                  const ChardevSource& source,
                  const std::string& alias,
                  const std::string& channel) {
    return plan_chardev(context, source, ChardevNames{"char" + alias, alias, channel});
}

ChardevSource socket_client(std::string path, std::optional<ReconnectDef> reconnect) {
    UnixChardev socket;
    socket.mode = SocketMode::connect;
    socket.path = std::move(path);
    socket.reconnect = std::move(reconnect);
    ChardevSource source;
    source.backend = std::move(socket);
    return source;
}

} // namespace vireo::qemu
