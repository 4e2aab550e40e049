// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/body.hpp"

#include "libshared/error.hpp"

#include <string_view>

namespace vireo::proxy {

namespace {

constexpr std::string_view fixed_size_types = "ynqiuxtd";

bool copy_array_of_numbers(sd_bus_message* from, sd_bus_message* to, const char* contents) {
    const std::string_view element(contents);
    if (element.size() != 1 || fixed_size_types.find(element[0]) == std::string_view::npos) {
        return false;
    }
    const void* data = nullptr;
    size_t size = 0;
    check(sd_bus_message_read_array(from, element[0], &data, &size), "read an array");
    check(sd_bus_message_append_array(to, element[0], data, size), "append an array");
    return true;
}

/// False at the end of the container in which `from` stands.
bool copy_basic(sd_bus_message* from, sd_bus_message* to, char type) {
    union { // as sd_bus_message_read_basic(3) wants it for the type
        const char* text;
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        double real;
        int number; // boolean and descriptor
    } value{};

    if (check(sd_bus_message_read_basic(from, type, &value), "read a value") == 0) {
        return false;
    }
    const bool text = type == SD_BUS_TYPE_STRING || type == SD_BUS_TYPE_OBJECT_PATH ||
                      type == SD_BUS_TYPE_SIGNATURE;
    const void* const place = text ? static_cast<const void*>(value.text) : &value;
    check(sd_bus_message_append_basic(to, type, place), "append a value");
    return true;
}

/// Lists are long where there are many objects: what each element is need not be asked.
bool is_text(std::string_view contents) {
    return contents == "s" || contents == "o" || contents == "g";
}

/// Everything up to the end of the container in which `from` stands.
void copy_rest(sd_bus_message* from, sd_bus_message* to) {
    char type = 0;
    const char* contents = nullptr;
    while (check(sd_bus_message_peek_type(from, &type, &contents), "read a message") > 0) {
        if (contents == nullptr) {
            copy_basic(from, to, type);
            continue;
        }
        if (type == SD_BUS_TYPE_ARRAY && copy_array_of_numbers(from, to, contents)) {
            continue;
        }
        check(sd_bus_message_open_container(to, type, contents), "open a container");
        check(sd_bus_message_enter_container(from, type, contents), "enter a container");
        if (type == SD_BUS_TYPE_ARRAY && is_text(contents)) {
            const char element = *contents;
            while (copy_basic(from, to, element)) {
            }
        } else {
            copy_rest(from, to); // no deeper than D-Bus allows
        }
        check(sd_bus_message_exit_container(from), "leave a container");
        check(sd_bus_message_close_container(to), "close a container");
    }
}

} // namespace

void copy_body(sd_bus_message* from, sd_bus_message* to) {
    check(sd_bus_message_rewind(from, true), "rewind a message");
    copy_rest(from, to);
}

bus::Message copy_call(sd_bus_message* call, sd_bus* connection, std::uint32_t cookie) {
    sd_bus_message* made = nullptr;
    check(sd_bus_message_new_method_call(connection,
                                         &made,
                                         nullptr,
                                         sd_bus_message_get_path(call),
                                         sd_bus_message_get_interface(call),
                                         sd_bus_message_get_member(call)),
          "create a call");
    bus::Message copy(made);
    if (const char* const sender = sd_bus_message_get_sender(call)) {
        check(sd_bus_message_set_sender(made, sender), "set the caller's name");
    }
    check(sd_bus_message_set_expect_reply(made, sd_bus_message_get_expect_reply(call)),
          "set whether a reply is wanted");
    copy_body(call, made);
    check(sd_bus_message_seal(made, cookie, UINT64_MAX), "seal a call");
    return copy;
}

bus::Message copy_answer(sd_bus_message* answer, sd_bus_message* call) {
    sd_bus_message* made = nullptr;
    if (const sd_bus_error* const error = sd_bus_message_get_error(answer)) {
        // Without a text of its own: that comes with the body.
        const sd_bus_error name{error->name, nullptr, 0};
        check(sd_bus_message_new_method_error(call, &made, &name), "create an error");
    } else {
        check(sd_bus_message_new_method_return(call, &made), "create a reply");
    }
    bus::Message copy(made);
    copy_body(answer, made);
    return copy;
}

bus::Message merge_answers(const std::vector<bus::Message>& answers,
                           sd_bus_message* call,
                           const std::string& element) {
    sd_bus_message* made = nullptr;
    check(sd_bus_message_new_method_return(call, &made), "create a reply");
    bus::Message merged(made);
    check(sd_bus_message_open_container(made, SD_BUS_TYPE_ARRAY, element.c_str()), "open an array");
    for (const bus::Message& answer : answers) {
        check(sd_bus_message_rewind(answer.get(), true), "rewind a message");
        check(sd_bus_message_enter_container(answer.get(), SD_BUS_TYPE_ARRAY, element.c_str()),
              "enter an array");
        copy_rest(answer.get(), made);
    }
    check(sd_bus_message_close_container(made), "close an array");
    return merged;
}

void answer_error(sd_bus_message* call, const char* name, const std::string& text) noexcept {
    const sd_bus_error error{name, text.c_str(), 0};
    sd_bus_reply_method_error(call, &error);
}

} // namespace vireo::proxy
