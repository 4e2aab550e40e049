// SPDX-License-Identifier: LGPL-2.1-or-later
// Prints the name and the state of each virtual machine. A client in C++ with nothing but sd-bus:
//     g++ -std=c++20 domain_states.cpp $(pkg-config --cflags --libs libsystemd) -o domain_states
// It uses the system bus; a path as its only argument is the socket of another bus.
#include <systemd/sd-bus.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr const char* service = "org.libvirt";
constexpr std::array states{"no state",
                            "running",
                            "blocked",
                            "paused",
                            "shutting down",
                            "shut off",
                            "crashed",
                            "suspended by the guest"};

using Bus = std::unique_ptr<sd_bus, decltype(&sd_bus_flush_close_unref)>;
using Message = std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)>;

/// An error reply with the text that the service gave.
struct Error : std::runtime_error {
    Error(int result, const sd_bus_error& error)
        : std::runtime_error(error.message != nullptr ? error.message : std::to_string(result)) {}
};

Bus connect(const char* socket) {
    sd_bus* bus = nullptr;
    int result = 0;
    if (socket == nullptr) {
        result = sd_bus_open_system(&bus);
    } else {
        sd_bus_new(&bus);
        sd_bus_set_bus_client(bus, 1);
        sd_bus_set_address(bus, (std::string("unix:path=") + socket).c_str());
        result = sd_bus_start(bus);
    }
    if (result < 0) {
        throw std::runtime_error("cannot connect to the bus");
    }
    return {bus, &sd_bus_flush_close_unref};
}

/// Calls a method that takes flags alone; its reply is read by the caller.
Message call(sd_bus* bus, const std::string& path, const char* interface, const char* method) {
    sd_bus_error error{};
    sd_bus_message* reply = nullptr;
    const int result = sd_bus_call_method(
        bus, service, path.c_str(), interface, method, &error, &reply, "u", std::uint32_t{0});
    if (result < 0) {
        const Error failure(result, error);
        sd_bus_error_free(&error);
        throw failure;
    }
    return {reply, &sd_bus_message_unref};
}

std::vector<std::string> list_domains(sd_bus* bus) {
    const Message reply = call(bus, "/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains");
    std::vector<std::string> paths;
    sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_ARRAY, "o");
    for (const char* path = nullptr; sd_bus_message_read(reply.get(), "o", &path) > 0;) {
        paths.emplace_back(path);
    }
    return paths;
}

std::string name_of(sd_bus* bus, const std::string& path) {
    char* name = nullptr;
    sd_bus_error error{};
    const int result = sd_bus_get_property_string(
        bus, service, path.c_str(), "org.libvirt.Domain", "Name", &error, &name);
    if (result < 0) {
        const Error failure(result, error);
        sd_bus_error_free(&error);
        throw failure;
    }
    std::string text(name);
    free(name);
    return text;
}

std::string state_of(sd_bus* bus, const std::string& path) {
    const Message reply = call(bus, path, "org.libvirt.Domain", "GetState");
    std::int32_t state = 0;
    std::int32_t reason = 0;
    sd_bus_message_read(reply.get(), "(ii)", &state, &reason);
    return states.at(static_cast<std::size_t>(state));
}

} // namespace

int main(int argc, char** argv) {
    try {
        const Bus bus = connect(argc > 1 ? argv[1] : nullptr);
        for (const std::string& path : list_domains(bus.get())) {
            std::printf(
                "%s: %s\n", name_of(bus.get(), path).c_str(), state_of(bus.get(), path).c_str());
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "domain_states: %s\n", error.what());
        return 1;
    }
    return 0;
}
