// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "proxy/body.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <vector>

using namespace vireo;
using namespace vireo::proxy;

namespace {

/// A connection on which nothing is sent: messages need one.
bus::Bus make_connection(Fd& other_end) {
    int ends[2];
    check_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "make sockets");
    other_end.reset(ends[1]);
    sd_bus* made = nullptr;
    check(sd_bus_new(&made), "create a connection");
    bus::Bus connection(made);
    check(sd_bus_set_fd(made, ends[0], ends[0]), "set up a connection");
    check(sd_bus_start(made), "start a connection");
    return connection;
}

bus::Message make_call(sd_bus* connection) {
    sd_bus_message* made = nullptr;
    check(sd_bus_message_new_method_call(connection, &made, nullptr, "/a", "b.c", "D"), "make");
    check(sd_bus_message_set_sender(made, ":1.5"), "make");
    return bus::Message(made);
}

void seal(const bus::Message& message, uint64_t serial) {
    check(sd_bus_message_seal(message.get(), serial, 0), "seal");
}

} // namespace

TEST_CASE("a body is copied whole, containers and all") {
    Fd other_end;
    const bus::Bus connection = make_connection(other_end);
    const bus::Message from = make_call(connection.get());
    int ends[2];
    check_errno(pipe(ends), "make a pipe");
    check(sd_bus_message_append(
              from.get(), "sa{sv}(ib)h", "text", 1, "key", "v", "t", UINT64_MAX, -5, 1, ends[0]),
          "fill");
    check(sd_bus_message_append(from.get(), "aoad", 1, "/p", 2, 0.5, 1.5), "fill");
    seal(from, 7);
    const bus::Message to = copy_call(from.get(), connection.get(), 99);

    uint64_t serial = 0;
    CHECK(sd_bus_message_get_cookie(to.get(), &serial) >= 0);
    CHECK(serial == 99);
    CHECK(std::string(sd_bus_message_get_sender(to.get())) == ":1.5");
    CHECK(std::string(sd_bus_message_get_member(to.get())) == "D");
    CHECK(std::string(sd_bus_message_get_signature(to.get(), 1)) == "sa{sv}(ib)haoad");
    const char* text = nullptr;
    const char* key = nullptr;
    const char* path = nullptr;
    uint64_t value = 0;
    int number = 0;
    int truth = 0;
    int fd = -1;
    double first = 0;
    double second = 0;
    CHECK(sd_bus_message_read(to.get(), "sa{sv}", &text, 1, &key, "v", "t", &value) > 0);
    CHECK(sd_bus_message_read(to.get(), "(ib)h", &number, &truth, &fd) > 0);
    CHECK(sd_bus_message_read(to.get(), "aoad", 1, &path, 2, &first, &second) > 0);
    CHECK(std::string(text) == "text");
    CHECK(std::string(key) == "key");
    CHECK(value == UINT64_MAX);
    CHECK(number == -5);
    CHECK(truth == 1);
    CHECK(fd >= 0);
    CHECK(std::string(path) == "/p");
    CHECK(second == 1.5);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("an error keeps its name, its text and what follows it") {
    Fd other_end;
    const bus::Bus connection = make_connection(other_end);
    const bus::Message call = make_call(connection.get());
    seal(call, 7);
    const sd_bus_error failure = SD_BUS_ERROR_MAKE_CONST("x.y.Failed", "it failed");
    sd_bus_message* made = nullptr;
    check(sd_bus_message_new_method_error(call.get(), &made, &failure), "make");
    const bus::Message error(made);
    check(sd_bus_message_append(made, "u", 42U), "fill");
    seal(error, 8);
    const bus::Message copy = copy_answer(error.get(), call.get());
    seal(copy, 9);
    const sd_bus_error* const got = sd_bus_message_get_error(copy.get());
    REQUIRE(got != nullptr);
    CHECK(std::string(got->name) == "x.y.Failed");
    const char* text = nullptr;
    uint32_t extra = 0;
    CHECK(sd_bus_message_rewind(copy.get(), 1) >= 0);
    CHECK(sd_bus_message_read(copy.get(), "su", &text, &extra) > 0);
    CHECK(std::string(text) == "it failed");
    CHECK(extra == 42);
}

TEST_CASE("answers of several drivers become one array") {
    Fd other_end;
    const bus::Bus connection = make_connection(other_end);
    const bus::Message call = make_call(connection.get());
    seal(call, 7);
    std::vector<bus::Message> answers;
    for (const char* const name : {"a", "b"}) {
        sd_bus_message* made = nullptr;
        check(sd_bus_message_new_method_return(call.get(), &made), "make");
        check(sd_bus_message_append(made, "a{sv}", 1, name, "s", "x"), "fill");
        answers.emplace_back(made);
        seal(answers.back(), 8);
    }
    const bus::Message merged = merge_answers(answers, call.get(), "{sv}");
    seal(merged, 9);
    const char* first = nullptr;
    const char* second = nullptr;
    const char* value = nullptr;
    CHECK(sd_bus_message_read(merged.get(), "a{sv}", 2, &first, "s", &value, &second, "s", &value) >
          0);
    CHECK(std::string(first) == "a");
    CHECK(std::string(second) == "b");
    const bus::Message empty = merge_answers({}, call.get(), "{sv}");
    seal(empty, 10);
    CHECK(std::string(sd_bus_message_get_signature(empty.get(), 1)) == "a{sv}");
}
