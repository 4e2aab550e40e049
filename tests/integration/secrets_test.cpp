// SPDX-License-Identifier: LGPL-2.1-or-later
// Secrets of storaged, and guests whose encrypted disks they open: the real qemu-img and QEMU.
#include "libshared/files.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;
using Bytes = std::vector<std::uint8_t>;
using Paths = std::vector<ObjectPath>;

constexpr std::uint32_t none = 0;
constexpr std::uint32_t paused = 1;
constexpr std::uint32_t live = 1;
constexpr std::int32_t volume_usage = 1;
constexpr const char* uuid = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
constexpr const char* passphrase = "open sesame";

const Target native_connect{"org.vireo", "/org/vireo", "org.vireo.Connect1"};

Bytes bytes(const std::string& text) {
    return {text.begin(), text.end()};
}

std::string secret_xml(const std::string& attributes = {},
                       const std::string& volume = "/images/a.img",
                       const std::string& id = uuid) {
    return fmt::format("<secret {}><uuid>{}</uuid><description>of a disk</description>\n"
                       "<usage type='volume'><volume>{}</volume></usage></secret>",
                       attributes,
                       id,
                       volume);
}

/// An instance, its secrets, and LUKS images that are opened by the passphrase.
struct Bench {
    Instance instance;
    Client client = instance.connect();
    std::filesystem::path secrets = instance.root() / "etc/secrets";

    Target define_secret(const std::string& xml) {
        return at(client.call<ObjectPath>(libvirt_connect, "SecretDefineXML", xml, none));
    }

    static Target at(const ObjectPath& path) { return libvirt_object(path, "org.libvirt.Secret"); }

    void set_value(const Target& secret, const std::string& value) {
        client.call(secret, "SetValue", bytes(value), none);
    }

    Bytes value(const Target& secret) { return client.call<Bytes>(secret, "GetValue", none); }

    std::string refusal(const std::string& xml) {
        return message_of([&] { define_secret(xml); });
    }

    std::string make_image(const std::string& name) const {
        const std::string file = instance.root() / name;
        const std::string command =
            fmt::format("qemu-img create -q -f luks --object secret,id=s,data='{}' -o key-secret=s,"
                        "iter-time=10 {} 1M",
                        passphrase,
                        file);
        REQUIRE(std::system(command.c_str()) == 0);
        return file;
    }

    static std::string disk(const std::string& file, const std::string& target = "vda") {
        return fmt::format(
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/>\n<source file='{}'>"
            "<encryption format='luks'><secret type='passphrase' uuid='{}'/></encryption></source>"
            "<target dev='{}' bus='virtio'/></disk>",
            file,
            uuid,
            target);
    }
};

} // namespace

TEST_CASE("a secret is defined, set, found, kept over SIGKILL and undefined") {
    Bench bench;
    Client& client = bench.client;
    Watch events = client.watch(libvirt_connect, "SecretEvent");
    const Target secret = bench.define_secret(secret_xml());
    CHECK(secret.path == "/org/libvirt/QEMU/secret/_0a81f5b2_8403_7b23_c8d6_21ccc2f80d6f");
    CHECK(events.next<ObjectPath, std::int32_t, std::int32_t>(event_limit) ==
          std::tuple(ObjectPath(secret.path), 0, 0));
    CHECK(client.get<std::string>(secret, "UUID") == uuid);
    CHECK(client.get<std::string>(secret, "UsageID") == "/images/a.img");
    CHECK(client.get<std::int32_t>(secret, "UsageType") == volume_usage);
    CHECK(client.call<ObjectPath>(libvirt_connect, "SecretLookupByUUID", std::string(uuid)) ==
          secret.path);
    CHECK(client.call<ObjectPath>(
              libvirt_connect, "SecretLookupByUsage", volume_usage, std::string("/images/a.img")) ==
          secret.path);
    CHECK(message_of([&] { bench.value(secret); }) ==
          fmt::format("Secret not found: secret '{}' does not have a value", uuid));
    const Bytes binary{0, 255, 10, 0};
    client.call(secret, "SetValue", binary, none);
    CHECK(bench.value(secret) == binary);

    struct stat file {};

    REQUIRE(::stat((bench.secrets / (std::string(uuid) + ".value")).c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);

    bench.instance.end("vireo-storaged", SIGKILL);
    CHECK(bench.value(secret) == binary);
    CHECK(client.call<std::string>(secret, "GetXMLDesc", none) ==
          "<secret ephemeral='no' private='no'>\n"
          "  <uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>\n"
          "  <description>of a disk</description>\n"
          "  <usage type='volume'>\n"
          "    <volume>/images/a.img</volume>\n"
          "  </usage>\n"
          "</secret>\n");
    client.call(secret, "Undefine");
    CHECK(std::filesystem::is_empty(bench.secrets));
    CHECK(client.call<Paths>(libvirt_connect, "ListSecrets", none).empty());
    CHECK(message_of([&] {
              client.call<ObjectPath>(libvirt_connect, "SecretLookupByUUID", std::string(uuid));
          }).starts_with("Secret not found: "));
}

TEST_CASE("a private secret is shown to no client, an ephemeral one is in no file") {
    Bench bench;
    const Target hidden = bench.define_secret(secret_xml("private='yes'"));
    bench.set_value(hidden, "x");
    CHECK(contains(message_of([&] { bench.value(hidden); }), "secret is private"));
    CHECK(contains(bench.refusal(secret_xml()), "is private, which cannot be taken back"));
    const Target fleeting = bench.define_secret(
        secret_xml("ephemeral='yes'", "/images/b.img", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d70"));
    bench.set_value(fleeting, "y");
    CHECK(bench.value(fleeting) == bytes("y"));
    for (const auto& entry : std::filesystem::directory_iterator(bench.secrets)) {
        CHECK(contains(entry.path().string(), uuid));
    }
    const auto listed = [&](std::uint32_t flags) {
        return bench.client.call<Paths>(libvirt_connect, "ListSecrets", flags);
    };
    CHECK(listed(1) == Paths{ObjectPath(fleeting.path)});
    CHECK(listed(2) == Paths{ObjectPath(hidden.path)});
    CHECK(listed(4) == Paths{ObjectPath(hidden.path)});
    CHECK(listed(8) == Paths{ObjectPath(fleeting.path)});
    CHECK(listed(0).size() == 2);
    CHECK(message_of([&] { listed(16); }).starts_with("invalid argument: "));
}

TEST_CASE("what no secret can be is refused, and nothing of it is left") {
    Bench bench;
    bench.define_secret(secret_xml());
    CHECK(contains(bench.refusal("<secret>\n<usage type='ceph'/></secret>"),
                   "line 2: /secret/usage: type='ceph' needs <name>"));
    CHECK(contains(bench.refusal("<secret ephemeral='maybe'/>"), "ephemeral"));
    CHECK(contains(bench.refusal("<secret><uuid>1</uuid></secret>"), "uuid"));
    // The UUID, and the use, belong to one.
    CHECK(contains(bench.refusal(secret_xml("", "/images/other.img")), "already defined for use"));
    CHECK(contains(
        bench.refusal(secret_xml("", "/images/a.img", "0a81f5b2-8403-7b23-c8d6-21ccc2f80d70")),
        "already defined for use"));
    CHECK(bench.client.call<Paths>(libvirt_connect, "ListSecrets", none).size() == 1);
}

TEST_CASE("a guest opens encrypted disks by their secret, at its start and later") {
    Bench bench;
    Client& client = bench.client;
    // Private: it is for guests, and for no client.
    bench.set_value(bench.define_secret(secret_xml("private='yes'")), passphrase);
    const ObjectPath path =
        define(client, small_guest("locked", bench.disk(bench.make_image("a"))));
    start(client, path, paused);
    const auto qemu = bench.instance.find("qemu-system-x86_64");
    REQUIRE(qemu);
    const std::string words = read_file(fmt::format("/proc/{}/cmdline", *qemu));
    CHECK(contains(words, R"("driver":"luks")"));
    CHECK_FALSE(contains(words, passphrase));

    bench.instance.end("vireo-qemud", SIGKILL); // its successor has the guest's key, too
    const std::string second = bench.disk(bench.make_image("b"), "vdb");
    client.call(domain_at(path), "AttachDevice", second, live);
    CHECK(contains(xml_of(client, path), "<target dev='vdb' bus='virtio'/>"));
    destroy(client, path);
}

TEST_CASE("an encrypted disk that cannot be opened is told of with its line, and nothing runs") {
    Bench bench;
    Client& client = bench.client;
    const ObjectPath path =
        define(client, small_guest("locked", bench.disk(bench.make_image("a"))));
    const auto start_error = [&] { return message_of([&] { start(client, path, paused); }); };
    const auto obstacles = [&] {
        using Obstacles = std::vector<std::map<std::string, bus::Variant>>;
        std::string all;
        const std::string xml = xml_of(client, path);
        for (const auto& one : client.call<Obstacles>(native_connect, "CheckDomain", xml)) {
            all += *one.at("Cause").get<std::string>() + "\n";
        }
        return all;
    };
    const std::string unknown = fmt::format("no secret with matching uuid '{}'", uuid);
    const std::string named = fmt::format("<disk>: secret '{}': ", uuid);
    CHECK(contains(start_error(), unknown));
    CHECK(contains(start_error(), named));
    CHECK(contains(obstacles(), unknown));
    const Target secret = bench.define_secret(secret_xml());
    CHECK(contains(start_error(), "does not have a value"));
    bench.set_value(secret, "another");
    CHECK(obstacles().empty());
    CHECK(contains(start_error(), "Invalid password"));
    CHECK(state_of(client, path) == StatePair{5, 6}); // shut off, failed
    CHECK_FALSE(bench.instance.find("qemu-system-x86_64"));
    bench.set_value(secret, passphrase);
    start(client, path, paused);
    destroy(client, path);
}
