// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests whose disks are volumes of storage pools, through the proxy: qemud asks storaged.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

constexpr std::uint32_t paused = 1;
constexpr std::uint32_t live = 1;

const Target native_connect{"org.vireo", "/org/vireo", "org.vireo.Connect1"};

/// An instance with a pool `images` in a folder of its own that has a volume `one.img`.
struct Bench {
    Instance instance;
    Client client = instance.connect();
    std::filesystem::path folder = instance.root() / "images";
    Target pool;

    Bench() {
        std::filesystem::create_directories(folder);
        const auto path = client.call<ObjectPath>(
            libvirt_connect,
            "StoragePoolDefineXML",
            fmt::format("<pool type='dir'><name>images</name><target><path>{}</path></target>"
                        "</pool>",
                        folder.string()),
            std::uint32_t{0});
        pool = libvirt_object(path, "org.libvirt.StoragePool");
        client.call(pool, "Create", std::uint32_t{0});
        make_volume("one.img");
    }

    void make_volume(const std::string& name) {
        client.call<ObjectPath>(
            pool,
            "StorageVolCreateXML",
            fmt::format("<volume><name>{}</name><capacity unit='MiB'>1</capacity></volume>", name),
            std::uint32_t{0});
    }

    static std::string disk(const std::string& source, const std::string& target = "vda") {
        return fmt::format("<disk type='volume' device='disk'><driver name='qemu' type='raw'/>\n"
                           "{}<target dev='{}' bus='virtio'/></disk>\n",
                           source,
                           target);
    }

    std::string refusal(const std::string& source) {
        return message_of([&] {
            client.call<ObjectPath>(
                libvirt_connect, "DomainCreateXML", small_guest("refused", disk(source)), paused);
        });
    }
};

constexpr auto first = "<source pool='images' volume='one.img'/>";

} // namespace

TEST_CASE("a guest has a volume of a pool for a disk, from its start and later") {
    Bench bench;
    const std::string xml = small_guest("web", Bench::disk(first));
    const std::string file = (bench.folder / "one.img").string();
    const auto words =
        bench.client.call<std::vector<std::string>>(native_connect, "DomainXMLToArguments", xml);
    CHECK(contains(fmt::format("{}", fmt::join(words, " ")), file));

    const auto domain = define(bench.client, xml);
    CHECK(contains(xml_of(bench.client, domain), "pool='images'"));
    start(bench.client, domain, paused);
    CHECK(contains(xml_of(bench.client, domain), file));

    bench.make_volume("two.img");
    bench.client.call(domain_at(domain),
                      "AttachDevice",
                      Bench::disk("<source pool='images' volume='two.img'/>", "vdb"),
                      live);
    CHECK(contains(xml_of(bench.client, domain), (bench.folder / "two.img").string()));
    destroy(bench.client, domain);
}

TEST_CASE("a volume below an image is found, too") {
    Bench bench;
    const std::string top = (bench.folder / "top.qcow2").string();
    const auto words = bench.client.call<std::vector<std::string>>(
        native_connect,
        "DomainXMLToArguments",
        small_guest("web",
                    fmt::format("<disk type='file'><driver name='qemu' type='qcow2'/>"
                                "<source file='{}'/><backingStore type='volume'>"
                                "<format type='raw'/>{}<backingStore/></backingStore>"
                                "<target dev='vda' bus='virtio'/></disk>",
                                top,
                                first)));
    CHECK(contains(fmt::format("{}", fmt::join(words, " ")), (bench.folder / "one.img").string()));
}

TEST_CASE("what storaged does not have is refused with the disk's line") {
    Bench bench;
    const std::string none = bench.refusal("<source pool='none' volume='one.img'/>");
    CHECK_MESSAGE(contains(none, "<disk>: "), none);
    CHECK_MESSAGE(contains(none, "no storage pool with matching name 'none'"), none);
    const std::string missing = bench.refusal("<source pool='images' volume='three.img'/>");
    CHECK_MESSAGE(contains(missing, "'three.img'"), missing);
    bench.client.call(bench.pool, "Destroy");
    const std::string stopped = bench.refusal(first);
    CHECK_MESSAGE(contains(stopped, "storage pool 'images' is not active; start it first"),
                  stopped);
}
