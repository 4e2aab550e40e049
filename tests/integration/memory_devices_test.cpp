// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory devices of a running Linux guest, on real QEMU: grown, shrunk, plugged, unplugged, and the
// daemon killed meanwhile.
#include "tests/support/installed_qemu.hpp"
#include "tests/support/memory_guest.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <map>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

constexpr std::uint32_t live = 1;
constexpr std::uint32_t config = 2;

std::string device_xml(std::uint64_t requested_mib, const std::string& more = {}) {
    return virtio_mem_xml(512, requested_mib, more);
}

std::string dimm_xml(unsigned size_mib) {
    return fmt::format("<memory model='dimm'><target><size unit='MiB'>{}</size><node>0</node>"
                       "</target></memory>",
                       size_mib);
}

const MemoryGuestOptions without_linux{.linux = false};

} // namespace

TEST_CASE("a guest grows and shrinks by one property write, and its own numbers agree") {
    MemoryGuest guest({.size_mib = 1024});
    Watch changes = guest.watch_properties();
    CHECK(guest.client().get<std::string>(guest.device(), "Model") == "virtio-mem");
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "Size") == 1024 * mib);
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "BlockSize") == 2 * mib);
    CHECK(guest.client().get<std::uint32_t>(guest.device(), "Node") == 0);
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "BackingPageSize") == 4096);
    CHECK(guest.current() == 0);
    CHECK(contains(guest.xml(), "<currentMemory unit='KiB'>196608</currentMemory>"));
    const std::uint64_t small = guest.guest_kib();

    guest.request(1024);
    await_property(changes, "Requested", 1024 * mib);
    CHECK(guest.wait() == 1024 * mib);
    await_property(changes, "Current", 1024 * mib);
    CHECK(guest.current() == 1024 * mib);
    const std::uint64_t large =
        guest.await_guest_kib([&](std::uint64_t kib) { return kib >= small + 1024 * 1024; });
    CHECK(large == small + 1024 * 1024);
    CHECK(contains(guest.xml(), "<current unit='KiB'>1048576</current>"));
    CHECK(contains(guest.xml(), "<currentMemory unit='KiB'>1245184</currentMemory>"));
    // Never of the definition, which keeps what was requested there.
    CHECK_FALSE(contains(guest.xml(2), "<current "));
    CHECK(contains(guest.xml(2), "<requested unit='KiB'>0</requested>"));

    guest.request(0);
    CHECK(guest.wait() == 0);
    await_property(changes, "Current", 0);
    CHECK(guest.await_guest_kib([&](std::uint64_t kib) { return kib <= small; }) == small);
    CHECK(contains(guest.xml(), "<current unit='KiB'>0</current>"));
}

TEST_CASE("a daemon that is killed in mid-resize comes back to the same truth") {
    MemoryGuest guest({});
    const std::uint64_t small = guest.guest_kib();
    guest.request(512);
    guest.instance().end("vireo-qemud", SIGKILL);
    CHECK(guest.wait() == 512 * mib);
    CHECK(guest.await_guest_kib([&](std::uint64_t kib) { return kib > small + 500 * 1024; }) ==
          small + 512 * 1024);
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "Requested") == 512 * mib);

    // What the guest does while nobody looks is known afterwards.
    guest.request(256);
    const pid_t daemon = guest.instance().find("vireo-qemud").value();
    ::kill(daemon, SIGSTOP);
    guest.await_guest_kib([&](std::uint64_t kib) { return kib <= small + 256 * 1024; });
    guest.instance().end("vireo-qemud", SIGKILL);
    CHECK(guest.wait() == 256 * mib);
    CHECK(guest.current() == 256 * mib);
    CHECK(contains(guest.xml(), "<current unit='KiB'>262144</current>"));
}

TEST_CASE("a DIMM is plugged in and out, and the guest has it meanwhile") {
    MemoryGuest guest({});
    Watch added = guest.client().watch(guest.domain(), "DeviceAdded");
    Watch removed = guest.client().watch(guest.domain(), "DeviceRemoved");
    const std::uint64_t small = guest.guest_kib();
    guest.client().call(guest.domain(), "AttachDevice", dimm_xml(256), live | config);
    CHECK(std::get<0>(added.next<std::string>(guest_limit)) == "dimm0");
    CHECK(guest.client().get<std::uint64_t>(guest.memory("dimm0"), "Current") == 256 * mib);
    CHECK(contains(guest.xml(), "<address type='dimm' slot='0' base='0x"));
    CHECK(contains(guest.xml(2), "<memory model='dimm'>"));
    CHECK(guest.await_guest_kib([&](std::uint64_t kib) { return kib > small + 250 * 1024; }) ==
          small + 256 * 1024);

    guest.client().call(guest.domain(), "DetachDevice", dimm_xml(256), live | config);
    CHECK(std::get<0>(removed.next<std::string>(guest_limit)) == "dimm0");
    CHECK_FALSE(contains(guest.xml(), "model='dimm'"));
    CHECK_FALSE(contains(guest.xml(2), "model='dimm'"));
    CHECK(guest.guest_kib() == small);
    // Nothing is left behind it: its name is free again.
    guest.client().call(guest.domain(), "AttachDevice", dimm_xml(128), live);
    CHECK(std::get<0>(added.next<std::string>(guest_limit)) == "dimm0");
}

TEST_CASE("a virtio-mem device is emptied and taken out, where QEMU can") {
    // Source: QEMU's change log of 8.1, "virtio-mem: unplug of the device".
    const bool can = installed_qemu()->version.number() >= 8'001'000;
    MemoryGuest guest(can ? MemoryGuestOptions{} : without_linux);
    const auto detach = [&] {
        guest.client().call(guest.domain(), "DetachDevice", device_xml(0), live | config);
    };
    if (!can) {
        CHECK(
            contains(guest.message_of(detach),
                     "cannot remove a virtio-mem device from a running guest, 8.1 and later can"));
        CHECK(contains(guest.xml(2), "model='virtio-mem'"));
        return;
    }
    const std::uint64_t small = guest.guest_kib();
    guest.request(256);
    REQUIRE(guest.wait() == 256 * mib);
    guest.await_guest_kib([&](std::uint64_t kib) { return kib > small + 250 * 1024; });
    Watch removed = guest.client().watch(guest.domain(), "DeviceRemoved");
    detach();
    CHECK(std::get<0>(removed.next<std::string>(guest_limit)) == "virtiomem0");
    CHECK(guest.guest_kib() == small);
    CHECK_FALSE(contains(guest.xml(), "model='virtio-mem'"));
    CHECK_FALSE(contains(guest.xml(2), "model='virtio-mem'"));
    CHECK(contains(guest.xml(), "<currentMemory unit='KiB'>196608</currentMemory>"));
    // Nothing is left behind it: its name is free again.
    guest.client().call(guest.domain(), "AttachDevice", device_xml(64), live);
    CHECK(guest.wait() == 64 * mib);
}

TEST_CASE("devices change in the running guest and the definition together, or not at all") {
    MemoryGuest guest(without_linux);
    Client& client = guest.client();
    client.call(guest.domain(), "UpdateDevice", device_xml(64), live | config);
    CHECK(contains(guest.xml(), "<requested unit='KiB'>65536</requested>"));
    CHECK(contains(guest.xml(2), "<requested unit='KiB'>65536</requested>"));
    client.call(guest.domain(), "UpdateDevice", device_xml(128), config);
    CHECK(contains(guest.xml(), "<requested unit='KiB'>65536</requested>"));
    CHECK(contains(guest.xml(2), "<requested unit='KiB'>131072</requested>"));
    client.call(guest.domain(), "AttachDevice", device_xml(2), live);
    CHECK(client.get<std::uint64_t>(guest.memory("virtiomem1"), "Requested") == 2 * mib);
    // Two devices fit now.
    CHECK(contains(
        guest.message_of([&] { client.call(guest.domain(), "UpdateDevice", device_xml(4), live); }),
        "say which by its <alias> or <address>"));
    client.call(guest.domain(), "UpdateDevice", device_xml(4, "<alias name='virtiomem1'/>"), live);
    CHECK(client.get<std::uint64_t>(guest.memory("virtiomem1"), "Requested") == 4 * mib);

    // A definition that cannot be written: the guest is as it was.
    const std::string before = guest.xml();
    const auto folder = guest.instance().root() / "etc/qemu";
    REQUIRE(std::filesystem::exists(folder));
    std::filesystem::rename(folder, folder.string() + ".away");
    std::ofstream(folder) << "in the way";
    const std::string failure = guest.message_of(
        [&] { client.call(guest.domain(), "UpdateDevice", device_xml(8), live | config); });
    std::filesystem::remove(folder);
    std::filesystem::rename(folder.string() + ".away", folder);
    CHECK(failure != "no error");
    CHECK(guest.xml() == before);
}

TEST_CASE("what cannot be done is refused with what to do instead") {
    MemoryGuest guest(without_linux);
    Client& client = guest.client();
    const auto update = [&](const std::string& xml) {
        return guest.message_of([&] { client.call(guest.domain(), "UpdateDevice", xml, live); });
    };
    const auto attach = [&](const std::string& xml) {
        return guest.message_of([&] { client.call(guest.domain(), "AttachDevice", xml, live); });
    };
    const std::string alias = "<alias name='virtiomem0'/>";
    CHECK(contains(update(device_xml(3, alias)), "3072 KiB are not a multiple of the block"));
    CHECK(contains(update(device_xml(514, alias)), "more than the size of memory device"));
    std::string other = device_xml(0, alias);
    other.replace(other.find(">512<"), 5, ">256<");
    CHECK(contains(update(other), "<size> of a memory device cannot be changed"));
    CHECK(contains(attach(dimm_xml(4096)), "so raise it"));
    CHECK(contains(attach("<hub type='usb'/>"), "<hub> is not a device that can be attached"));
    CHECK(contains(
        guest.message_of([&] { client.call(guest.domain(), "DetachDevice", dimm_xml(64), live); }),
        "the running guest has no memory device with model 'dimm'"));
    CHECK(contains(guest.message_of([&] { guest.request(513); }), "more than the size"));
    client.call(guest.domain(), "Suspend");
    guest.request(64);
    CHECK(contains(guest.message_of([&] { guest.wait(); }), "it is paused, resume it first"));
    CHECK(guest.client().get<std::uint64_t>(guest.device(), "Requested") == 64 * mib);
}

TEST_CASE("a guest that does not answer is waited for 10 s and then told of") {
    MemoryGuest guest(without_linux); // its firmware knows no virtio-mem
    guest.request(64);
    CHECK(guest.wait(1'000) == 0); // the time limit
    CHECK(contains(guest.message_of([&] { guest.wait(); }),
                   "the guest has stopped taking memory of device 'virtiomem0'"));
}

TEST_CASE("one number for the whole guest is shared out") {
    MemoryGuest guest(without_linux);
    Client& client = guest.client();
    using Answer = std::map<std::string, std::uint64_t>;
    const auto set = [&](std::uint64_t bytes) {
        return client.call<Answer>(guest.native(), "SetMemoryTarget", bytes);
    };
    CHECK(set(192 * mib + 101 * mib) == Answer{{"virtiomem0", 100 * mib}, {"balloon0", 192 * mib}});
    CHECK(client.get<std::uint64_t>(guest.device(), "Requested") == 100 * mib);
    CHECK(set(128 * mib) == Answer{{"virtiomem0", 0}, {"balloon0", 128 * mib}});
    CHECK(contains(guest.message_of([&] { set(2048 * mib); }), "more than the guest can have"));
    client.call(guest.domain(), "Destroy", std::uint32_t{0});
    CHECK(contains(guest.message_of([&] { set(128 * mib); }), "domain is not running"));
    CHECK_THROWS_AS(client.get<std::uint64_t>(guest.device(), "Current"), CallError);
}

TEST_CASE("the recipe of docs/memory.md works as it stands") {
    const Instance instance;
    const auto folder = std::filesystem::path(guest_files().kernel).parent_path();
    std::ifstream page(source_dir() / "docs/memory.md");
    std::string script = "set -eu\ncd \"$VIREO_ROOT\"\n";
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("```")) {
            inside = line == "```sh";
        } else if (inside) {
            script += line + "\n";
        }
    }
    const Finished finished = instance.run({"env",
                                            "VIREO_GUEST=" + folder.string(),
                                            "VIREO_ROOT=" + instance.root().string(),
                                            "sh",
                                            "-c",
                                            script},
                                           600s);
    CHECK_MESSAGE(finished.status == 0, finished.output);
    CHECK(contains(finished.output, "t 536870912"));
    CHECK(contains(finished.output, "t 134217728"));
    CHECK(contains(finished.output, "a{st} 2 \"balloon0\" 201326592 \"virtiomem0\" 67108864"));
}
