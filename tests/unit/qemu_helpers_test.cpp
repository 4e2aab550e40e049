// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_throttle.hpp"
#include "qemu-driver/launch/helpers.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;
using nlohmann::json;

namespace {

DiskDef limited_disk(DiskBus bus) {
    DiskDef disk;
    disk.info.alias = "disk0";
    disk.target.bus = bus;
    disk.image.source = FileSource{.path = "/a", .fdgroup = {}};
    disk.iotune.emplace();
    return disk;
}

const HelperPlaces places{"/run/3", "/var/lib/v"};

DomainDef guest_with(TpmDef tpm) {
    DomainDef def;
    def.uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
    tpm.info.alias = "tpm0";
    def.devices.tpms.push_back(std::move(tpm));
    return def;
}

std::string refusal(const DomainDef& def) {
    try {
        wanted_helpers(def, places);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("the block layer's name of a disk's device depends on its bus") {
    CHECK(block_device_of(limited_disk(DiskBus::virtio)) ==
          "/machine/peripheral/disk0/virtio-backend");
    CHECK(block_device_of(limited_disk(DiskBus::usb)) ==
          "/machine/peripheral/disk0/disk0.0/legacy[0]");
    CHECK(block_device_of(limited_disk(DiskBus::scsi)) == "disk0");
}

TEST_CASE("limits become a throttle's arguments; without any there are none") {
    DiskDef disk = limited_disk(DiskBus::sata);
    CHECK(!throttle_arguments(disk));
    disk.iotune->read_iops_sec = 0;
    CHECK(!throttle_arguments(disk));
    disk.iotune->read_iops_sec = 5;
    disk.iotune->read_iops_sec_max = 9;
    disk.iotune->group_name = "g";
    CHECK(*throttle_arguments(disk) == json{{"id", "disk0"},
                                            {"bps", 0},
                                            {"bps_rd", 0},
                                            {"bps_wr", 0},
                                            {"iops", 0},
                                            {"iops_rd", 5},
                                            {"iops_wr", 0},
                                            {"iops_rd_max", 9},
                                            {"group", "g"}});
    disk.image.source = FileSource{};
    CHECK(!throttle_arguments(disk)); // a drive without a medium
}

TEST_CASE("a TPM's emulator keeps its state by the guest's UUID and version") {
    TpmDef tpm;
    tpm.backend = EmulatorTpm{.version = TpmVersion::v2_0,
                              .encryption_secret = {},
                              .persistent_state = {},
                              .active_pcr_banks = {}};
    const auto helpers = wanted_helpers(guest_with(tpm), places);
    REQUIRE(helpers.size() == 1);
    CHECK(helpers[0].owner == "tpm0");
    CHECK(helpers[0].socket == "/run/3/swtpm.sock");
    CHECK(helpers[0].folder == "/var/lib/v/swtpm/c7a5fdbd-edaf-9455-926a-d65c16db1809/tpm2");
    CHECK(helpers[0].arguments ==
          std::vector<std::string>{
              "socket",
              "--ctrl",
              "type=unixio,fd=3",
              "--tpmstate",
              "dir=/var/lib/v/swtpm/c7a5fdbd-edaf-9455-926a-d65c16db1809/tpm2,mode=0600",
              "--terminate",
              "--tpm2"});
    std::get<EmulatorTpm>(tpm.backend).version = TpmVersion::v1_2;
    CHECK(wanted_helpers(guest_with(tpm), places)[0].folder.ends_with("/tpm1.2"));
    std::get<EmulatorTpm>(tpm.backend).encryption_secret = "x";
    CHECK(refusal(guest_with(tpm)) == "tpm 'tpm0': <encryption> is not supported");
    tpm.backend = PassthroughTpm{};
    CHECK(wanted_helpers(guest_with(tpm), places).empty());
}

TEST_CASE("a shared folder's server gets the options of <binary>") {
    DomainDef def;
    FilesystemDef folder;
    folder.info.alias = "fs0";
    folder.driver = FilesystemDriver::virtiofs;
    folder.source_dir = "/srv";
    folder.binary.emplace();
    folder.binary->cache = VirtiofsCache::always;
    folder.binary->sandbox = VirtiofsSandbox::chroot;
    folder.binary->xattr = OnOff::on;
    folder.binary->flock = OnOff::off;
    folder.binary->thread_pool_size = 16;
    def.devices.filesystems.push_back(folder);
    const auto helpers = wanted_helpers(def, places);
    REQUIRE(helpers.size() == 1);
    CHECK(helpers[0].program == "/usr/lib/qemu/virtiofsd");
    CHECK(helpers[0].socket == "/run/3/fs0-fs.sock");
    CHECK(helpers[0].arguments ==
          std::vector<std::string>{"--fd=3",
                                   "-o",
                                   "source=/srv,cache=always,sandbox=chroot,xattr,no_flock",
                                   "--thread-pool-size=16"});
    def.devices.filesystems[0].source_dir = "/a,b";
    CHECK(refusal(def) == "filesystem '': a comma or a backslash in its folder is not supported");
    def.devices.filesystems[0].source_socket = "/other"; // somebody else's server
    CHECK(wanted_helpers(def, places).empty());
}

TEST_CASE("a user's network by passt gets what the card says of it") {
    DomainDef def;
    InterfaceDef card;
    card.info.alias = "net0";
    card.source = UserSource{.dev = "eth0"};
    card.backend.type = InterfaceBackendType::passt;
    card.backend.log_file = "/log";
    card.ips.push_back({.family = "ipv4", .address = "1.2.3.4", .prefix = 24, .peer = {}});
    card.ips.push_back({.family = "ipv6", .address = "fd00::1", .prefix = 64, .peer = {}});
    PortForward web;
    web.address = "10.0.0.1";
    web.dev = "eth1";
    web.ranges.push_back({.start = 80, .end = {}, .to = 8080, .exclude = {}});
    web.ranges.push_back({.start = 2000, .end = 2010, .to = 3000, .exclude = {}});
    web.ranges.push_back({.start = 2005, .end = 2006, .to = {}, .exclude = YesNo::yes});
    card.port_forwards.push_back(web);
    PortForward everything;
    everything.protocol = PortProtocol::udp;
    card.port_forwards.push_back(everything);
    def.devices.interfaces.push_back(card);
    const auto helpers = wanted_helpers(def, places);
    REQUIRE(helpers.size() == 1);
    CHECK(helpers[0].program == "passt");
    CHECK(helpers[0].detaches);
    CHECK(helpers[0].socket == "/run/3/passt-net0.socket");
    CHECK(helpers[0].arguments ==
          std::vector<std::string>{"--one-off",
                                   "--socket",
                                   "/run/3/passt-net0.socket",
                                   "--pid",
                                   "/run/3/net0.helper",
                                   "--log-file",
                                   "/log",
                                   "--interface",
                                   "eth0",
                                   "--address",
                                   "1.2.3.4",
                                   "--netmask",
                                   "24",
                                   "--address",
                                   "fd00::1",
                                   "--tcp-ports",
                                   "10.0.0.1%eth1/80:8080,2000-2010:3000-3010,~2005-2006",
                                   "--udp-ports",
                                   "all"});
    def.devices.interfaces[0].port_forwards[0].ranges.clear();
    CHECK(refusal(def) ==
          "interface 'net0': <portForward> of one address without a <range> is not supported");
}
