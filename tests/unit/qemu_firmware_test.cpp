// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/firmware.hpp"
#include "qemu-driver/devices/graphics_ports.hpp"
#include "qemu-driver/devices/select_firmware.hpp"
#include "tests/support/host_tree.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;

namespace {

constexpr const char* descriptor = R"({
    "interface-types": ["uefi"],
    "mapping": {"device": "flash", "executable": {"filename": "/fw/CODE", "format": "raw"},
                "nvram-template": {"filename": "/fw/VARS", "format": "raw"}},
    "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}],
    "features": ["acpi-s3"], "tags": []})";

FirmwareFacts firmware(const char* code, std::set<std::string> features) {
    FirmwareFacts facts = parse_firmware(descriptor, "test");
    facts.executable = code;
    facts.features = std::move(features);
    return facts;
}

struct Guest {
    DomainDef def;
    QemuCapabilities caps;
    std::vector<FirmwareFacts> all{firmware("/fw/secure", {"secure-boot", "requires-smm"}),
                                   firmware("/fw/plain", {})};

    Guest() {
        def.name = "guest";
        def.os.arch = "x86_64";
        def.os.machine = "q35";
        def.os.firmware = FirmwareType::efi;
        MachineType q35;
        q35.name = "pc-q35-7.2";
        q35.alias = "q35";
        caps.machines = {q35};
    }

    void select() { select_firmware(def, all, caps, "/nvram"); }
};

} // namespace

TEST_CASE("a descriptor is understood, and a broken one is an error that names it") {
    const FirmwareFacts facts = parse_firmware(descriptor, "a.json");
    CHECK(facts.mode == "split");
    CHECK(facts.executable == "/fw/CODE");
    CHECK(facts.nvram_template == "/fw/VARS");
    CHECK(facts.targets.at(0).machines.at(0) == "pc-q35-*");
    CHECK_THROWS_AS(parse_firmware("{}", "a.json"), Error);
    CHECK_THROWS_AS(parse_firmware("[", "a.json"), Error);
}

TEST_CASE("an earlier folder hides a later one's file, and an empty file hides it altogether") {
    test::HostTree tree;
    tree.write("etc/50.json", "");
    tree.write("etc/60.json", "{broken");
    tree.write("usr/50.json", descriptor);
    tree.write("usr/70.json", descriptor);
    tree.write("usr/README", "no descriptor");
    const std::filesystem::path dirs[] = {
        tree.root() / "etc", tree.root() / "usr", tree.root() / "none"};
    std::vector<std::string> problems;
    CHECK(read_firmware(dirs, problems).size() == 1);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find("60.json") != std::string::npos);
}

TEST_CASE("the first firmware that suits is taken, with what it needs") {
    Guest guest;
    guest.select();
    CHECK(guest.def.os.loader->path == "/fw/secure");
    CHECK(guest.def.os.loader->secure == YesNo::yes);
    CHECK(guest.def.features->smm->state == OnOff::on);
    CHECK(guest.def.os.nvram->path == "/nvram/guest_VARS.fd");
    CHECK(guest.def.os.nvram->template_path == "/fw/VARS");
}

TEST_CASE("a wish for a feature chooses another firmware, and one that nobody meets is refused") {
    Guest guest;
    guest.def.os.firmware_features = {{YesNo::no, "secure-boot"}};
    guest.select();
    CHECK(guest.def.os.loader->path == "/fw/plain");
    CHECK_FALSE(guest.def.features);

    Guest other;
    other.def.os.firmware_features = {{YesNo::yes, "enrolled-keys"}};
    CHECK_THROWS_AS(other.select(), Error);
    Guest bios;
    bios.def.os.firmware = FirmwareType::bios;
    CHECK_THROWS_AS(bios.select(), Error);
    Guest i440fx;
    i440fx.def.os.machine = "pc-i440fx-7.2";
    CHECK_THROWS_AS(i440fx.select(), Error);
}

TEST_CASE("a loader that is named keeps its name and gets a place for its variables") {
    Guest guest;
    guest.def.os.firmware.reset();
    guest.def.os.loader.emplace();
    guest.def.os.loader->path = "/fw/plain";
    guest.def.os.loader->type = LoaderType::pflash;
    guest.def.os.loader->readonly = YesNo::yes;
    guest.select();
    CHECK(guest.def.os.nvram->path == "/nvram/guest_VARS.fd");
    CHECK(guest.def.os.nvram->template_path == "/fw/VARS");
    Guest rom;
    rom.def.os.firmware.reset();
    rom.def.os.loader.emplace().path = "/bios";
    rom.select();
    CHECK_FALSE(rom.def.os.nvram);
}

TEST_CASE("ports are chosen where they are left open") {
    DomainDef def;
    GraphicsDef vnc;
    vnc.kind = VncGraphics{};
    GraphicsDef fixed;
    VncGraphics with_port;
    with_port.port = 5950;
    with_port.websocket = -1;
    fixed.kind = with_port;
    GraphicsDef socket;
    socket.kind = VncGraphics{};
    GraphicsListen listen;
    listen.kind = SocketListen{};
    socket.listens = {listen};
    def.devices.graphics = {vnc, fixed, socket};
    int32_t next = 6000;
    assign_graphics_ports(def, false, [&](PortUse) { return next++; });
    CHECK(std::get<VncGraphics>(def.devices.graphics[0].kind).port == 6000);
    CHECK(std::get<VncGraphics>(def.devices.graphics[1].kind).port == 5950);
    CHECK(std::get<VncGraphics>(def.devices.graphics[1].kind).websocket == 6001);
    CHECK_FALSE(std::get<VncGraphics>(def.devices.graphics[2].kind).port);
}
