// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_chardev.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Writes one backend both ways: `text` for the command line, where QEMU knows no JSON for
/// -chardev, and `backend` for `chardev-add`.
class BackendWriter {
  public:
    BackendWriter(const PlanContext& context,
                  Plan& before,
                  const std::string& alias,
                  const std::string& channel)
        : context_(context), before_(before), alias_(alias), channel_(channel) {}

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
            const std::string id = fmt::format("objchar{}_tls0", alias_);
            before_.push_back(object_step(tls_credentials(id, listen)));
            text.add("tls-creds", id);
            data["tls-creds"] = id;
        }
    }

    void operator()(const UdpChardev& udp) {
        start("udp");
        text.add("host", udp.connect_host.value_or(""))
            .add("port", udp.connect_service.value_or(""));
        data["remote"] =
            inet_address(udp.connect_host.value_or(""), udp.connect_service.value_or(""));
        if (udp.bind_host || udp.bind_service) {
            const std::string host = udp.bind_host.value_or("");
            const std::string service = udp.bind_service.value_or("0");
            text.add("localaddr", host).add("localport", service);
            data["local"] = inet_address(host, service);
        }
    }

    void operator()(const UnixChardev& unix) {
        start("socket");
        if (unix.mode == SocketMode::bind) {
            Descriptor socket;
            socket.kind = DescriptorKind::unix_listen;
            socket.path = unix.path.value_or(context_.facts.channel_dir + "/" + channel_);
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
        text.add("path", *unix.path);
        json address = json::object();
        address["type"] = "unix";
        address["data"]["path"] = *unix.path;
        data["addr"] = std::move(address);
        listening(false);
        reconnect(unix.reconnect);
    }

    void operator()(const SpicevmcChardev&) {
        spice("spicevmc", "type", alias_.starts_with("redir") ? "usbredir" : "vdagent");
    }

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
        text.add("name", dbus.channel);
        data["name"] = dbus.channel;
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
        props["id"] = "char" + alias_;
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
        text.word(type).add("id", "char" + alias_);
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

    json tls_credentials(const std::string& id, bool listen) const {
        const LaunchSettings& settings = context_.facts.settings;
        json object = json::object();
        object["qom-type"] = "tls-creds-x509";
        object["id"] = id;
        object["dir"] = settings.chardev_tls_x509_cert_dir;
        object["endpoint"] = listen ? "server" : "client";
        // A client always checks the server; a server checks clients where the setting asks for it.
        object["verify-peer"] = listen ? settings.chardev_tls_x509_verify : true;
        return object;
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
    const std::string& alias_;
    const std::string& channel_;
    std::string type_;
};

} // namespace

Plan plan_chardev(const PlanContext& context,
                  const ChardevSource& source,
                  const std::string& alias,
                  const std::string& channel) {
    Plan plan;
    BackendWriter writer(context, plan, alias, channel);
    std::visit(writer, source.backend);
    if (source.log) {
        writer.log_to(*source.log);
    }
    plan.push_back(writer.finish());
    return plan;
}

} // namespace vireo::qemu
