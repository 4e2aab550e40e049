// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/scripted_qemu.hpp"

#include "libshared/error.hpp"

#include <sys/socket.h>

#include <utility>

namespace vireo::test {

using nlohmann::json;

json reply_with(json value) {
    json message;
    message["return"] = std::move(value);
    return message;
}

json event_of(const std::string& name, json data) {
    json message;
    message["event"] = name;
    message["data"] = std::move(data);
    message["timestamp"]["seconds"] = 1;
    message["timestamp"]["microseconds"] = 2;
    return message;
}

ScriptedQemu::ScriptedQemu(unsigned major, unsigned minor, Script script)
    : script_(std::move(script)) {
    int ends[2];
    check_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "create sockets");
    client_end_ = Fd(ends[0]);
    end_ = Fd(ends[1]);
    json greeting;
    json& version = greeting["QMP"]["version"];
    version["qemu"]["major"] = major;
    version["qemu"]["minor"] = minor;
    version["qemu"]["micro"] = 0;
    version["package"] = "";
    greeting["QMP"]["capabilities"] = json::array();
    send(greeting);
    thread_ = std::thread([this] { serve(); });
}

ScriptedQemu::~ScriptedQemu() {
    ::shutdown(end_.get(), SHUT_RDWR);
    thread_.join();
}

std::vector<std::string> ScriptedQemu::commands() {
    const std::lock_guard lock(mutex_);
    return commands_;
}

void ScriptedQemu::send(const json& message) const {
    const std::string line = message.dump() + "\r\n";
    [[maybe_unused]] const auto sent = ::send(end_.get(), line.data(), line.size(), MSG_NOSIGNAL);
}

void ScriptedQemu::serve() {
    std::string received;
    char bytes[4096];
    for (ssize_t size; (size = ::recv(end_.get(), bytes, sizeof bytes, 0)) > 0;) {
        received.append(bytes, static_cast<std::size_t>(size));
        for (auto end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
            const json command = json::parse(received.substr(0, end));
            received.erase(0, end + 1);
            const auto name = command.at("execute").get<std::string>();
            if (name == "qmp_capabilities") {
                json reply = reply_with();
                reply["id"] = command.at("id");
                send(reply);
                continue;
            }
            const json arguments = command.value("arguments", json::object());
            {
                const std::lock_guard lock(mutex_);
                commands_.push_back(arguments.empty() ? name : name + " " + arguments.dump());
            }
            for (const json& message : script_(name, arguments)) {
                send(message);
            }
        }
    }
}

} // namespace vireo::test
