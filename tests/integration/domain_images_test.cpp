// SPDX-License-Identifier: LGPL-2.1-or-later
// Disks whose images are based on others, on real QEMU.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

void qemu_img(const Instance& instance, const std::vector<std::string>& words) {
    std::vector<std::string> command{"qemu-img"};
    command.insert(command.end(), words.begin(), words.end());
    const Finished finished = instance.run(std::move(command), 30s);
    REQUIRE_MESSAGE(finished.status == 0, finished.output);
}

std::string image(const Instance& instance, const std::string& name) {
    std::filesystem::create_directories(instance.root());
    return (instance.root() / name).string();
}

/// base.raw <- middle.qcow2 <- top.qcow2
std::string chain_of_three(const Instance& instance) {
    const std::string base = image(instance, "base.raw");
    const std::string middle = image(instance, "middle.qcow2");
    const std::string top = image(instance, "top.qcow2");
    qemu_img(instance, {"create", "-f", "raw", base, "1M"});
    qemu_img(instance, {"create", "-f", "qcow2", "-b", base, "-F", "raw", middle});
    qemu_img(instance, {"create", "-f", "qcow2", "-b", middle, "-F", "qcow2", top});
    return top;
}

/// Makes of it an image as qemu-img made them before it asked for the format. Source: QEMU,
/// docs/interop/qcow2.txt, "Header extensions".
void forget_backing_format(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::string header(512, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    const auto extension = header.find("\xe2\x79\x2a\xca");
    REQUIRE(extension != std::string::npos);
    file.seekp(static_cast<std::streamoff>(extension));
    file.write("none", 4); // an extension that no reader knows
}

std::string disk(const std::string& path,
                 const std::string& format,
                 const std::string& below = {},
                 const std::string& policy = {}) {
    return "<disk type='file' device='disk'><driver name='qemu' type='" + format +
           "'/><source file='" + path + "'" + policy + "/>" + below +
           "<target dev='vda' bus='virtio'/></disk>\n";
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

} // namespace

TEST_CASE("a running guest shows what its images are based on") {
    const Instance instance;
    Client client = instance.connect();
    const std::string top = chain_of_three(instance);
    const ObjectPath path = define(client, small_guest("web", disk(top, "qcow2")));
    CHECK_FALSE(contains(xml_of(client, path), "backingStore"));
    start(client, path, 1);
    const std::string live = xml_of(client, path);
    CHECK_MESSAGE(in_order(live,
                           {"top.qcow2'",
                            "<backingStore type='file' index='",
                            "<format type='qcow2'/>",
                            "middle.qcow2'",
                            "<backingStore type='file' index='",
                            "<format type='raw'/>",
                            "base.raw'",
                            "<backingStore/>"}),
                  live);
    CHECK_FALSE(contains(xml_of(client, path, 2), "backingStore"));

    instance.end("vireo-qemud", SIGKILL);
    CHECK(xml_of(client, path) == live);
    // Defined as it is shown, it starts again: the document ends its chain.
    destroy(client, path);
    define(client, live);
    start(client, path, 1);
    CHECK(count(xml_of(client, path), "<backingStore type='file'") == 2);
}

TEST_CASE("a chain that the document begins is followed to its end") {
    const Instance instance;
    Client client = instance.connect();
    const std::string top = chain_of_three(instance);
    const std::string below = "<backingStore type='file'><format type='qcow2'/><source file='" +
                              image(instance, "middle.qcow2") + "'/></backingStore>";
    const ObjectPath path = define(client, small_guest("web", disk(top, "qcow2", below)));
    start(client, path, 1);
    CHECK(contains(xml_of(client, path), "base.raw'"));
    CHECK_FALSE(contains(xml_of(client, path, 2), "base.raw'"));
}

TEST_CASE("a base that is missing is named") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client, small_guest("web", disk(chain_of_three(instance), "qcow2")));
    std::filesystem::remove(image(instance, "base.raw"));
    const std::string message = message_of([&] { start(client, path, 1); });
    CHECK_MESSAGE(contains(message, "disk 'vda'"), message);
    CHECK_MESSAGE(contains(message, image(instance, "base.raw")), message);
    CHECK_FALSE(instance.find("qemu-system-x86_64").has_value());
    CHECK(state_of(client, path) == StatePair(5, 6));
}

TEST_CASE("a chain that bites its tail is refused") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client, small_guest("web", disk(chain_of_three(instance), "qcow2")));
    qemu_img(instance,
             {"rebase",
              "-u",
              "-f",
              "qcow2",
              "-b",
              image(instance, "top.qcow2"),
              "-F",
              "qcow2",
              image(instance, "middle.qcow2")});
    const std::string message = message_of([&] { start(client, path, 1); });
    CHECK_MESSAGE(contains(message, "disk 'vda'"), message);
    CHECK_MESSAGE(contains(message, "loop"), message);
}

TEST_CASE("a raw image is not looked into, whatever its guest wrote there") {
    const Instance instance;
    Client client = instance.connect();
    // A guest can write a header to its raw disk that names any file of the host.
    const ObjectPath path =
        define(client, small_guest("web", disk(chain_of_three(instance), "raw")));
    start(client, path, 1);
    const std::string live = xml_of(client, path);
    CHECK_FALSE(contains(live, "middle.qcow2"));
    CHECK(contains(live, "<backingStore/>"));
}

TEST_CASE("a base whose format nobody recorded may not lead on") {
    const Instance instance;
    Client client = instance.connect();
    const std::string top = chain_of_three(instance);
    const ObjectPath path = define(client, small_guest("web", disk(top, "qcow2")));
    forget_backing_format(top);
    const std::string message = message_of([&] { start(client, path, 1); });
    CHECK_MESSAGE(contains(message, "does not say the format"), message);
}

TEST_CASE("a disk that may be missing is left out") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(
        client,
        small_guest("web",
                    disk("/nonexistent.img", "raw", {}, " startupPolicy='optional'") +
                        "<disk type='file' device='cdrom'><source file='/nonexistent.iso' "
                        "startupPolicy='optional'/><target dev='sda' bus='sata'/></disk>\n"));
    start(client, path, 1);
    const std::string live = xml_of(client, path);
    CHECK_FALSE(contains(live, "/nonexistent."));
    CHECK_FALSE(contains(live, "dev='vda'"));
    CHECK(contains(live, "dev='sda'"));
    CHECK(contains(xml_of(client, path, 2), "/nonexistent.img"));
}
