// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/codec.hpp"
#include "tests/support/bus_pair.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <limits>
#include <map>
#include <string_view>

using namespace vireo;
using namespace vireo::bus;
using namespace vireo::test;

namespace {

template <class T>
constexpr std::string_view of = signature<T>.c_str();

static_assert(of<bool> == "b");
static_assert(of<std::uint8_t> == "y");
static_assert(of<std::int16_t> == "n");
static_assert(of<std::uint16_t> == "q");
static_assert(of<std::int32_t> == "i");
static_assert(of<std::uint32_t> == "u");
static_assert(of<std::int64_t> == "x");
static_assert(of<std::uint64_t> == "t");
static_assert(of<double> == "d");
static_assert(of<std::string> == "s");
static_assert(of<ObjectPath> == "o");
static_assert(of<Signature> == "g");
static_assert(of<UnixFd> == "h");
static_assert(of<Variant> == "v");
static_assert(of<Dict> == "a{sv}");
static_assert(of<LibvirtDict> == "a{sv}");
static_assert(of<std::vector<std::uint8_t>> == "ay");
static_assert(of<std::vector<std::vector<std::string>>> == "aas");
static_assert(of<std::map<std::uint32_t, std::string>> == "a{us}");
static_assert(of<std::tuple<std::string, std::tuple<int, bool>>> == "(s(ib))");
static_assert(of<std::vector<std::tuple<ObjectPath, Dict>>> == "a(oa{sv})");

struct Bench {
    Loop loop;
    BusPair pair{loop};

    Message message() { return new_call(pair.client(), "", "/", "org.vireo.Test1", "Test"); }

    template <class T>
    T round_trip(const T& value) {
        const Message sent = message();
        append(sent.get(), value);
        check(sd_bus_message_seal(sent.get(), 1, 0), "seal");
        CHECK(std::string(sd_bus_message_get_signature(sent.get(), 1)) == of<T>);
        T got = read<T>(sent.get());
        CHECK(sd_bus_message_at_end(sent.get(), 1) > 0);
        return got;
    }

    template <class T>
    void same(const T& value) {
        CHECK((round_trip(value) == value));
    }
};

} // namespace

TEST_CASE("every type comes out of a message as it went in") {
    Bench bench;
    bench.same(true);
    bench.same(false);
    bench.same(std::uint8_t{255});
    bench.same(std::numeric_limits<std::int16_t>::min());
    bench.same(std::uint16_t{65535});
    bench.same(std::numeric_limits<std::int32_t>::min());
    bench.same(std::numeric_limits<std::uint32_t>::max());
    bench.same(std::numeric_limits<std::int64_t>::min());
    bench.same(std::numeric_limits<std::uint64_t>::max());
    bench.same(-0.5);
    bench.same(std::string("größe"));
    bench.same(std::string());
    bench.same(ObjectPath("/org/vireo"));
    bench.same(Signature("a{sv}"));
    bench.same(std::vector<std::string>{});
    bench.same(std::vector<std::string>{"a", "", "c"});
    bench.same(std::vector<bool>{true, false});
    bench.same(std::vector<std::uint8_t>{0, 1, 255});
    bench.same(std::vector<std::uint8_t>{});
    bench.same(std::vector<std::vector<std::uint64_t>>{{1, 2}, {}});
    bench.same(std::map<std::string, std::uint32_t>{{"a", 1}, {"b", 2}});
    bench.same(std::tuple<std::string, std::tuple<int, bool>>{"x", {-1, true}});
    bench.same(std::vector<std::pair<std::string, std::string>>{{"k", "v"}});
}

TEST_CASE("a variant keeps its type, nested ones too") {
    Bench bench;
    const Dict inner{{"number", std::uint64_t{7}}, {"path", ObjectPath("/a")}};
    const Dict dict{{"flag", true},
                    {"text", "plain literal"},
                    {"byte", std::uint8_t{1}},
                    {"real", 1.5},
                    {"names", std::vector<std::string>{"a"}},
                    {"bytes", std::vector<std::uint8_t>{1, 2}},
                    {"list", std::vector<Variant>{std::string("x"), std::int32_t{-1}}},
                    {"inner", inner}};
    bench.same(dict);
    bench.same(Variant(dict));
    CHECK(*Variant("text").get<std::string>() == "text");
    CHECK(Variant(7).get<std::uint32_t>() == nullptr);
    CHECK(*Variant(7).get<std::int32_t>() == 7);
}

TEST_CASE("libvirt's dictionary has one more variant around each value on the wire") {
    Bench bench;
    LibvirtDict dict;
    dict.emplace_back("state", std::uint32_t{1});
    const Message message = bench.message();
    append(message.get(), dict);
    check(sd_bus_message_seal(message.get(), 1, 0), "seal");
    sd_bus_message* m = message.get();
    const char* contents = nullptr;
    CHECK(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
    CHECK(sd_bus_message_enter_container(m, 'e', "sv") > 0);
    CHECK(read<std::string>(m) == "state");
    CHECK(sd_bus_message_peek_type(m, nullptr, &contents) > 0);
    CHECK(std::string(contents) == "v");
    CHECK(sd_bus_message_enter_container(m, 'v', "v") > 0);
    CHECK(sd_bus_message_enter_container(m, 'v', "u") > 0);
    CHECK(read<std::uint32_t>(m) == 1);
    sd_bus_message_rewind(m, 1);
    // A client may send it back: the extra variant is taken off.
    CHECK(*read<Dict>(m).at(0).second.get<std::uint32_t>() == 1);
}

TEST_CASE("a value of an unknown type in a variant, or another type than expected, is refused") {
    Bench bench;
    const Message odd = bench.message();
    check(sd_bus_message_append(odd.get(), "v", "(ss)", "a", "b"), "append");
    check(sd_bus_message_seal(odd.get(), 1, 0), "seal");
    CHECK_THROWS_WITH_AS(
        read<Variant>(odd.get()), "a value of D-Bus type '(ss)' has no meaning here", Error);
    const Message text = bench.message();
    append(text.get(), std::string("x"));
    check(sd_bus_message_seal(text.get(), 1, 0), "seal");
    CHECK_THROWS_AS(read<std::uint32_t>(text.get()), Error);
    CHECK_THROWS_AS(read<Variant>(text.get()), Error);
    CHECK(read<std::string>(text.get()) == "x");
    CHECK_THROWS_AS(read<std::string>(text.get()), Error); // past the end
}

TEST_CASE("text that is no UTF-8 cannot be sent, and does not end the program") {
    Bench bench;
    const Message message = bench.message();
    CHECK_THROWS_AS(append(message.get(), std::string("\xff")), Error);
    CHECK_THROWS_AS(append(message.get(), ObjectPath("no path")), Error);
}

TEST_CASE("a received descriptor outlives its message and belongs to who takes it") {
    Bench bench;
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    Fd taken;
    {
        const Message message = bench.message();
        append(message.get(), UnixFd(Fd(dup(null.get()))));
        check(sd_bus_message_seal(message.get(), 1, 0), "seal");
        UnixFd received = read<UnixFd>(message.get());
        CHECK(received.get() != null.get());
        taken = received.take();
        CHECK(received.get() == -1);
    }
    CHECK(fcntl(taken.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("all arguments of a message are read in order") {
    Bench bench;
    const Message message = bench.message();
    append(message.get(), std::string("a"));
    append(message.get(), std::uint32_t{2});
    append(message.get(), Dict{{"k", true}});
    check(sd_bus_message_seal(message.get(), 1, 0), "seal");
    const auto [text, number, dict] = read_all<std::string, std::uint32_t, Dict>(message.get());
    CHECK(text == "a");
    CHECK(number == 2);
    CHECK(dict.at(0).first == "k");
}
