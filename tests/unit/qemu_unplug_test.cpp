// SPDX-License-Identifier: LGPL-2.1-or-later
// How a virtio-mem device leaves a running guest, which QEMU can do from 8.1 on: what is said to
// QEMU, played here, and what is known afterwards.
#include "libshared/daemon/context.hpp"
#include "qemu-driver/actions/change_device.hpp"
#include "qemu-driver/actions/guest_events.hpp"
#include "qemu-driver/actions/memory_devices.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "tests/support/loop_driver.hpp"
#include "tests/support/scripted_qemu.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vireo;
using namespace vireo::qemu;
using namespace vireo::test;
using nlohmann::json;

namespace {

constexpr std::uint32_t live_flag = 1;

const std::string device = "<memory model='virtio-mem'><target><size unit='MiB'>512</size><node>0"
                           "</node><block unit='MiB'>2</block><requested unit='MiB'>256"
                           "</requested></target></memory>";

/// A running guest with one virtio-mem device of which it has 256 MiB, and a QEMU that is played.
struct Running {
    TemporaryFolder folder;
    Loop loop;
    Scope tasks{loop};
    Options options;
    bus::ObjectTree objects;
    Clients clients{[](const std::string&) {}};
    Context context{loop, tasks, options, objects, clients};
    Driver driver;
    DomainPtr domain;
    ScriptedQemu qemu;

    Running(unsigned major, unsigned minor, ScriptedQemu::Script script)
        : options(in(folder.path())),
          driver(context),
          domain(std::make_shared<Domain>(loop, "a0b1c2d3-0000-4000-8000-000000000001", "elastic")),
          qemu(major, minor, std::move(script)) {
        driver.registry.add(domain);
        auto guest = std::make_shared<Guest>(loop);
        guest->id = 1;
        guest->starting = false;
        DomainDef def = parse_live(
            "<domain type='qemu' id='1'><name>elastic</name><uuid>a0b1c2d3-0000-4000-8000-"
            "000000000001</uuid><maxMemory slots='4' unit='GiB'>2</maxMemory><memory unit='MiB'>704"
            "</memory><os><type arch='x86_64' machine='q35'>hvm</type></os><cpu><numa><cell id='0' "
            "memory='192' unit='MiB'/></numa></cpu><devices><controller type='pci' index='0' "
            "model='pcie-root'><alias name='pcie.0'/></controller><memballoon model='none'/>" +
            device + "</devices></domain>");
        MemoryDeviceDef& memory = def.devices.memories.front();
        memory.info.alias = "virtiomem0";
        PciAddress at;
        at.slot = 4;
        memory.info.address = at;
        memory.current_kib = 256 * 1024;
        guest->live = std::make_shared<const DomainDef>(std::move(def));
        driver.statuses.make_folder(1);
        driver.registry.set_guest(*domain, guest);
        domain->state = reason::booted;
        guest->monitor = std::make_unique<qmp::Client>(
            loop,
            qemu.take_client_end(),
            [this](const qmp::Client::Event& event) {
                actions::handle_guest_event(driver, domain, event);
            },
            nullptr);
        finish(loop, guest->monitor->negotiate());
    }

    ~Running() { driver.followers.cancel(); }

    static Options in(const std::filesystem::path& root) {
        Options options;
        options.directories = Directories::below(root.string());
        return options;
    }

    std::string detach() {
        try {
            finish(loop, actions::detach_device(driver, domain, device, live_flag));
        } catch (const Error& e) {
            return e.what();
        }
        return "detached";
    }
};

/// Gives all memory back as soon as it is asked to, and lets the device go.
ScriptedQemu::Answers obey(const std::string& command, const json& arguments) {
    json data;
    if (command == "qom-set") {
        data["id"] = "virtiomem0";
        data["size"] = arguments.at("value");
        data["qom-path"] = "/machine/peripheral/virtiomem0";
        return {reply_with(), event_of("MEMORY_DEVICE_SIZE_CHANGE", data)};
    }
    if (command == "device_del") {
        data["device"] = "virtiomem0";
        data["path"] = "/machine/peripheral/virtiomem0";
        return {reply_with(), event_of("DEVICE_DELETED", data)};
    }
    return {reply_with(command == "query-memory-devices" ? json::array() : json::object())};
}

} // namespace

TEST_CASE("a virtio-mem device is emptied, removed, and its memory after it") {
    Running running(8, 1, obey);
    CHECK(running.detach() == "detached");
    const std::vector<std::string> expected{
        R"(qom-set {"path":"/machine/peripheral/virtiomem0","property":"requested-size","value":0})",
        R"(device_del {"id":"virtiomem0"})",
        R"(object-del {"id":"memvirtiomem0"})"};
    CHECK(running.qemu.commands() == expected);
    const DomainDef& live = *running.domain->guest->live;
    CHECK(live.devices.memories.empty());
    CHECK(live.memory.total_kib == 192 * 1024);
}

TEST_CASE("a guest that does not let its emptied device go is told of, and keeps it") {
    Running running(9, 0, [](const std::string& command, const json& arguments) {
        if (command == "device_del") {
            json data;
            data["device"] = "virtiomem0";
            data["path"] = "/machine/peripheral/virtiomem0";
            return ScriptedQemu::Answers{reply_with(), event_of("DEVICE_UNPLUG_GUEST_ERROR", data)};
        }
        return obey(command, arguments);
    });
    CHECK(running.detach().find("the guest keeps memory device 'virtiomem0'") != std::string::npos);
    // It has again what it had.
    REQUIRE(running.domain->guest->live->devices.memories.size() == 1);
    CHECK(running.domain->guest->live->devices.memories.front().requested_kib == 256 * 1024);
    CHECK(
        running.qemu.commands().back() ==
        R"(qom-set {"path":"/machine/peripheral/virtiomem0","property":"requested-size","value":268435456})");
}

TEST_CASE("before 8.1 nothing is asked of the guest") {
    Running running(8, 0, obey);
    CHECK(running.detach().find("QEMU 8.0 cannot remove a virtio-mem device") != std::string::npos);
    CHECK(running.qemu.commands().empty());
    CHECK(plugged_kib(running.domain->guest->live->devices.memories.front()) == 256 * 1024);
}
