// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/properties.hpp"

#include "libshared/bus/codec.hpp"

#include <algorithm>

namespace vireo::bus {

namespace {

bool is_property(const sd_bus_vtable& entry) {
    return entry.type == _SD_BUS_VTABLE_PROPERTY || entry.type == _SD_BUS_VTABLE_WRITABLE_PROPERTY;
}

void open(const Message& message, char type, const char* contents) {
    check(sd_bus_message_open_container(message.get(), type, contents), "write a D-Bus message");
}

void close(const Message& message) {
    check(sd_bus_message_close_container(message.get()), "write a D-Bus message");
}

void append_now(const Message& message,
                const sd_bus_vtable& item,
                const char* interface,
                void* object) {
    const auto& property = item.x.property;
    sd_bus_error error{};
    const int result =
        property.get(nullptr, nullptr, interface, property.member, message.get(), object, &error);
    const std::string text = error.message == nullptr ? "" : error.message;
    sd_bus_error_free(&error);
    if (result < 0) {
        throw Error(ErrorCode::operation_failed, "property '{}': {}", property.member, text);
    }
}

} // namespace

const sd_bus_vtable* find_property(const sd_bus_vtable* vtable, std::string_view name) {
    for (const sd_bus_vtable* item = vtable; item->type != _SD_BUS_VTABLE_END; ++item) {
        if (is_property(*item) && name == item->x.property.member) {
            return item;
        }
    }
    return nullptr;
}

const WaitingProperty* find_waiting(const WaitingProperties& waiting, std::string_view name) {
    const auto found = std::ranges::find(waiting.properties, name, &WaitingProperty::name);
    return found == waiting.properties.end() ? nullptr : &*found;
}

Message new_return(sd_bus_message* call) {
    sd_bus_message* message = nullptr;
    check(sd_bus_message_new_method_return(call, &message), "create a reply");
    return Message(message);
}

Task<void> answer_get(std::shared_ptr<void> object,
                      Reply reply,
                      Message message,
                      const sd_bus_vtable* item,
                      const WaitingProperty* waiting) {
    std::exception_ptr failure;
    try {
        open(message, SD_BUS_TYPE_VARIANT, item->x.property.signature);
        auto appending = waiting->append(object, message.get());
        co_await std::move(appending);
        close(message);
        reply.send_made(message);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        reply.fail(failure);
    }
}

Task<void> answer_get_all(std::shared_ptr<void> object,
                          Reply reply,
                          Message message,
                          const sd_bus_vtable* vtable,
                          const WaitingProperties* waiting,
                          const char* interface) {
    const bool extra = std::string_view(interface).starts_with("org.libvirt.");
    std::exception_ptr failure;
    try {
        open(message, SD_BUS_TYPE_ARRAY, "{sv}");
        for (const sd_bus_vtable* item = vtable; item->type != _SD_BUS_VTABLE_END; ++item) {
            if (!is_property(*item)) {
                continue;
            }
            const auto& property = item->x.property;
            open(message, SD_BUS_TYPE_DICT_ENTRY, "sv");
            append(message.get(), std::string(property.member));
            if (extra) {
                open(message, SD_BUS_TYPE_VARIANT, "v");
            }
            open(message, SD_BUS_TYPE_VARIANT, property.signature);
            const WaitingProperty* late = find_waiting(*waiting, property.member);
            if (late == nullptr) {
                append_now(message, *item, interface, object.get());
            } else {
                auto appending = late->append(object, message.get());
                co_await std::move(appending);
            }
            close(message);
            if (extra) {
                close(message);
            }
            close(message);
        }
        close(message);
        reply.send_made(message);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        reply.fail(failure);
    }
}

} // namespace vireo::bus
