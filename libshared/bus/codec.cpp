// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/codec.hpp"

#include <fcntl.h>

namespace vireo::bus {

namespace {

struct Known {
    std::string_view signature;
    Variant (*read)(sd_bus_message*);
};

template <class T>
constexpr Known known() {
    return {std::string_view(Codec<T>::signature.c_str()),
            [](sd_bus_message* message) { return Variant(Codec<T>::read(message)); }};
}

template <class... T>
constexpr std::array<Known, sizeof...(T)> known_types(std::variant<T...>*) {
    return {known<T>()...};
}

constexpr auto known_values = known_types(static_cast<Variant::Value*>(nullptr));

} // namespace

void Codec<UnixFd>::append(sd_bus_message* message, const UnixFd& fd) {
    const int number = fd.get();
    detail::sent(sd_bus_message_append_basic(message, SD_BUS_TYPE_UNIX_FD, &number));
}

UnixFd Codec<UnixFd>::read(sd_bus_message* message) {
    int number = -1; // the message's own: it dies with it
    detail::received(sd_bus_message_read_basic(message, SD_BUS_TYPE_UNIX_FD, &number));
    const int copy = fcntl(number, F_DUPFD_CLOEXEC, 3);
    check_errno(copy, "duplicate a received descriptor");
    return UnixFd(Fd(copy));
}

void Codec<Variant>::append(sd_bus_message* message, const Variant& value) {
    std::visit(
        [&]<class T>(const T& held) {
            detail::sent(sd_bus_message_open_container(
                message, SD_BUS_TYPE_VARIANT, Codec<T>::signature.c_str()));
            Codec<T>::append(message, held);
            detail::sent(sd_bus_message_close_container(message));
        },
        value.value());
}

Variant Codec<Variant>::read(sd_bus_message* message) {
    char type = 0;
    const char* contents = nullptr;
    detail::received(sd_bus_message_peek_type(message, &type, &contents));
    if (type != SD_BUS_TYPE_VARIANT) {
        throw Error(ErrorCode::invalid_arg, "a variant is expected, not D-Bus type '{}'", type);
    }
    for (const Known& kind : known_values) {
        if (kind.signature == contents) {
            detail::received(
                sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents));
            Variant value = kind.read(message);
            detail::received(sd_bus_message_exit_container(message));
            return value;
        }
    }
    if (std::string_view(contents) == "v") { // libvirt-dbus's extra variant, sent back by a client
        detail::received(sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents));
        Variant value = read(message);
        detail::received(sd_bus_message_exit_container(message));
        return value;
    }
    throw Error(ErrorCode::invalid_arg, "a value of D-Bus type '{}' has no meaning here", contents);
}

void Codec<LibvirtDict>::append(sd_bus_message* message, const LibvirtDict& entries) {
    detail::sent(sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, "{sv}"));
    for (const auto& [key, value] : entries) {
        detail::sent(sd_bus_message_open_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv"));
        Codec<std::string>::append(message, key);
        detail::sent(sd_bus_message_open_container(message, SD_BUS_TYPE_VARIANT, "v"));
        Codec<Variant>::append(message, value);
        detail::sent(sd_bus_message_close_container(message));
        detail::sent(sd_bus_message_close_container(message));
    }
    detail::sent(sd_bus_message_close_container(message));
}

} // namespace vireo::bus
