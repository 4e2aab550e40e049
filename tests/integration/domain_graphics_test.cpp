// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the screens of guests are found, on real QEMU.
#include "libshared/daemon/sockets.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <set>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

/// The attribute of the first element of that name.
std::string attribute(const std::string& xml, const std::string& element, const std::string& name) {
    const auto begin = xml.find("<" + element + " ");
    REQUIRE_MESSAGE(begin != std::string::npos, xml);
    const std::string tag = xml.substr(begin, xml.find('>', begin) - begin);
    const auto value = tag.find(" " + name + "='");
    if (value == std::string::npos) {
        return "none";
    }
    const auto text = value + name.size() + 3;
    return tag.substr(text, tag.find('\'', text) - text);
}

Fd tcp_socket(std::uint16_t port, bool listen) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (listen) {
        const int on = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(fd.get(), generic, sizeof address) != 0 || ::listen(fd.get(), 1) != 0) {
            return Fd();
        }
        return fd;
    }
    return ::connect(fd.get(), generic, sizeof address) == 0 ? std::move(fd) : Fd();
}

/// What a VNC server says first.
bool is_vnc(const Fd& server) {
    char greeting[3] = {};
    pollfd waiting{server.get(), POLLIN, 0};
    return server && ::poll(&waiting, 1, 20'000) == 1 &&
           ::read(server.get(), greeting, sizeof greeting) == sizeof greeting &&
           std::string(greeting, sizeof greeting) == "RFB";
}

std::uint16_t vnc_port(Client& client, const ObjectPath& path) {
    return static_cast<std::uint16_t>(
        std::stoi(attribute(xml_of(client, path), "graphics", "port")));
}

constexpr const char* automatic = "<graphics type='vnc' port='-1' autoport='yes'/>\n";

} // namespace

TEST_CASE("guests get ports of their own that nobody else listens at") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath first = define(client, small_guest("first", automatic));
    CHECK(attribute(xml_of(client, first), "graphics", "port") == "-1");
    start(client, first, 1);
    const std::uint16_t port = vnc_port(client, first);
    CHECK(port >= 5900);
    CHECK(attribute(xml_of(client, first), "graphics", "listen") == "127.0.0.1");
    CHECK(attribute(xml_of(client, first), "listen", "address") == "127.0.0.1");
    CHECK(is_vnc(tcp_socket(port, false)));
    CHECK(attribute(xml_of(client, first, 2), "graphics", "port") == "-1");
    destroy(client, first);

    // Somebody else takes the port, and all the guests that start now at once get others.
    const Fd other = tcp_socket(port, true);
    if (!other) {
        MESSAGE("port " << port << " was taken by somebody else meanwhile");
        return;
    }
    std::set<std::uint16_t> ports{port};
    std::vector<ObjectPath> guests{first};
    for (const char* name : {"second", "third"}) {
        guests.push_back(define(client, small_guest(name, automatic)));
    }
    std::vector<bus::Slot> calls;
    int open = 0;
    for (const ObjectPath& path : guests) {
        const bus::Message call = client.new_call(domain_at(path), "Create");
        bus::append(call.get(), std::uint32_t{1});
        sd_bus_slot* slot = nullptr;
        const auto answered = [](sd_bus_message* reply, void* left, sd_bus_error*) {
            CHECK_FALSE(sd_bus_message_is_method_error(reply, nullptr));
            --*static_cast<int*>(left);
            return 1;
        };
        REQUIRE(sd_bus_call_async(client.get(), &slot, call.get(), answered, &open, 0) >= 0);
        calls.emplace_back(slot);
        ++open;
    }
    while (open > 0) {
        if (sd_bus_process(client.get(), nullptr) == 0) {
            sd_bus_wait(client.get(), UINT64_MAX);
        }
    }
    for (const ObjectPath& path : guests) {
        CHECK(ports.insert(vnc_port(client, path)).second);
    }
}

TEST_CASE("a port that the definition gives is kept") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath any = define(client, small_guest("any", automatic));
    start(client, any, 1);
    const std::string port = std::to_string(vnc_port(client, any));
    destroy(client, any);
    const ObjectPath path = define(
        client, small_guest("web", "<graphics type='vnc' port='" + port + "' websocket='-1'/>\n"));
    start(client, path, 1);
    const std::string live = xml_of(client, path);
    CHECK(attribute(live, "graphics", "port") == port);
    CHECK(std::stoi(attribute(live, "graphics", "websocket")) >= 5700);
}

TEST_CASE("a socket without a path is made in the guest's folder") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(
        client, small_guest("web", "<graphics type='vnc'><listen type='socket'/></graphics>\n"));
    start(client, path, 1);
    const std::string socket = attribute(xml_of(client, path), "listen", "socket");
    CHECK(socket.starts_with(instance.root().string()));
    CHECK(is_vnc(connect_unix(socket)));
    destroy(client, path);
    for (const std::string& file : instance.files()) {
        CHECK_MESSAGE(file.find("vnc.sock") == std::string::npos, file);
    }
}
