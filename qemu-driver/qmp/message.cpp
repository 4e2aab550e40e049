// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/qmp/message.hpp"

#include "libshared/error.hpp"

namespace vireo::qemu::qmp {

using nlohmann::json;

namespace {

Greeting read_greeting(const json& message) {
    const json& version = message.at("QMP").at("version");
    const json& number = version.at("qemu");
    Greeting greeting;
    greeting.version.major = number.at("major").get<unsigned>();
    greeting.version.minor = number.at("minor").get<unsigned>();
    greeting.version.micro = number.at("micro").get<unsigned>();
    greeting.version.package = version.value("package", "");
    return greeting;
}

Event read_event(json& message) {
    Event event;
    event.name = message.at("event").get<std::string>();
    const auto data = message.find("data");
    event.data = data == message.end() ? json::object() : std::move(*data);
    const json& time = message.at("timestamp");
    const auto seconds = time.at("seconds").get<std::int64_t>();
    if (seconds >= 0 && seconds < std::int64_t{1} << 40) { // QEMU gives -1 where it has no clock
        event.timestamp = std::chrono::seconds(seconds) +
                          std::chrono::microseconds(time.at("microseconds").get<std::int32_t>());
    } else {
        event.timestamp = {};
    }
    return event;
}

Reply read_reply(json& message) {
    Reply reply;
    reply.tagged = message.contains("id");
    const auto error = message.find("error");
    if (error == message.end()) {
        reply.result = std::move(message.at("return"));
        return reply;
    }
    reply.failed = true;
    reply.error_class = error->at("class").get<std::string>();
    reply.description = error->at("desc").get<std::string>();
    return reply;
}

/// The start of what QEMU sent, for a message that a person reads.
std::string_view beginning(std::string_view line) {
    return line.substr(0, 100);
}

} // namespace

Message parse_message(std::string_view line) try {
    json message = json::parse(line);
    if (!message.is_object()) {
        throw Error(ErrorCode::parse_failed, "not a JSON object: '{}'", beginning(line));
    }
    if (message.contains("event")) {
        return read_event(message);
    }
    if (message.contains("QMP")) {
        return read_greeting(message);
    }
    return read_reply(message);

} catch (const json::exception& e) {

    throw Error(ErrorCode::parse_failed, "not a QMP message: '{}': {}", beginning(line), e.what());
}

std::string format_command(std::string_view command, const json& arguments, bool tagged) try {
    std::string text = "{\"execute\":" + json(command).dump();
    if (!arguments.is_null()) {
        text += ",\"arguments\":" + arguments.dump();
    }
    if (tagged) {
        text += ",\"id\":0";
    }
    return text + "}\n";

} catch (const json::exception& e) {

    throw Error(ErrorCode::invalid_arg, "arguments of '{}': {}", command, e.what());
}

} // namespace vireo::qemu::qmp
