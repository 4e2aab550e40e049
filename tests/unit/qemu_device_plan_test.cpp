// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans of the rarer devices: what they are made of, and what is refused by name.
#include "libshared/error.hpp"
#include "qemu-driver/devices/memlock.hpp"
#include "qemu-driver/devices/netdev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_disk.hpp"
#include "qemu-driver/devices/plan_hostdev.hpp"
#include "qemu-driver/devices/resolve_volume.hpp"
#include "qemu-driver/devices/seal_secret.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;
using nlohmann::json;

namespace {

struct Bench {
    DomainDef def;
    QemuCapabilities caps;
    LaunchFacts facts;
    DescriptorList descriptors{DescriptorList::Naming::numbers};

    Bench() {
        caps.binary = "/usr/bin/qemu";
        facts.private_dir = "/run/guest";
        ControllerDef root;
        root.type = ControllerType::pci;
        root.index = 0;
        root.model = PciModel::pci_root;
        root.info.alias = "pci.0";
        def.devices.controllers.push_back(root);
    }

    template <class Function, class Device>
    Plan plan(Function function, const Device& device) {
        const BootOrder boot(def);
        return function(PlanContext{def, caps, facts, descriptors, boot}, device);
    }
};

DeviceInfo on_pci(const char* alias, uint32_t slot) {
    DeviceInfo info;
    info.alias = alias;
    PciAddress at;
    at.slot = slot;
    info.address = at;
    return info;
}

DiskImage network_image(NetworkProtocol protocol, const char* name) {
    NetworkSource source;
    source.protocol = protocol;
    source.name = name;
    source.hosts.emplace_back().name = "example.org";
    DiskImage image;
    image.source = std::move(source);
    image.format = DiskFormat::raw;
    image.index = 1;
    return image;
}

std::string refusal(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& e) {
        return e.what();
    }
    return "nothing was refused";
}

} // namespace

TEST_CASE("a PCI function of the host is a vfio-pci device, a held back one is none") {
    Bench bench;
    HostdevDef hostdev;
    PciHostdev pci;
    pci.address.bus = 6;
    pci.address.slot = 0x12;
    pci.address.function = 5;
    hostdev.source = pci;
    hostdev.info = on_pci("hostdev0", 2);
    CHECK(refusal([&] { bench.plan(plan_hostdev, hostdev); }) ==
          "a PCI device of the host: '/usr/bin/qemu' has no device 'vfio-pci'");
    bench.caps.types = {"vfio-pci"};
    const Plan plan = bench.plan(plan_hostdev, hostdev);
    REQUIRE(plan.size() == 1);
    CHECK(plan[0].props == json::parse(R"({"driver":"vfio-pci","host":"0000:06:12.5",
        "id":"hostdev0","bus":"pci.0","addr":"0x2"})"));
    hostdev.info.address = UnassignedAddress{};
    CHECK(bench.plan(plan_hostdev, hostdev).empty());
}

TEST_CASE("a mediated device that shows the boot screen cannot be unplugged") {
    Bench bench;
    bench.caps.types = {"vfio-pci", "vfio-pci-nohotplug"};
    HostdevDef hostdev;
    MdevHostdev mdev;
    mdev.uuid = "53764d0e-85a0-42b4-af5c-2046b460b1dc";
    mdev.display = OnOff::on;
    mdev.ramfb = OnOff::on;
    hostdev.source = mdev;
    hostdev.info = on_pci("hostdev0", 3);
    const json device = bench.plan(plan_hostdev, hostdev).at(0).props;
    CHECK(device["driver"] == "vfio-pci-nohotplug");
    CHECK(device["display"] == "on");
    CHECK(device["ramfb"] == true);
}

TEST_CASE("a secret is sealed with the guest's key and refused without a store") {
    Bench bench;
    DiskDef disk;
    disk.image = network_image(NetworkProtocol::rbd, "pool/image");
    disk.target.dev = "vda";
    disk.outer_auth.emplace().username = "me";
    disk.outer_auth->secret.usage = "ceph";
    bench.caps.block_drivers = {"rbd"};
    CHECK(refusal([&] {
              bench.plan([](const auto& c, const auto& d) { return plan_disk_images(c, d); }, disk);
          }) == "'libvirt-1-storage' needs the secret 'ceph', and there is no store of secrets");
    bench.facts.secrets.value = [](const SecretReference&) { return std::string("value"); };
    bench.facts.secrets.seal = [](std::string_view text) {
        return SealedSecret{"sealed " + std::string(text), "iv"};
    };
    const Plan plan =
        bench.plan([](const auto& c, const auto& d) { return plan_disk_images(c, d); }, disk);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].props == json::parse(R"({"qom-type":"secret",
        "id":"libvirt-1-storage-auth-secret0","data":"sealed value","keyid":"masterKey0",
        "iv":"iv","format":"base64"})"));
    CHECK(plan[1].props["key-secret"] == "libvirt-1-storage-auth-secret0");
    CHECK(plan[1].props["user"] == "me");
}

TEST_CASE("sealing is AES-256-CBC with whole padding blocks") {
    MasterKey key{};
    SealIv iv{};
    for (size_t i = 0; i < key.size(); ++i) {
        key.at(i) = static_cast<uint8_t>(i);
    }
    for (size_t i = 0; i < iv.size(); ++i) {
        iv.at(i) = static_cast<uint8_t>(i);
    }
    const SealedSecret sealed = seal_secret("AQCVn5hO6HzFAhAAq0NCv8jtJcIcE+HOBlMQ1A", key, iv);
    CHECK(sealed.data == "9eao5F8qtkGt+seB1HYivWIxbtwUu6MQtg1zpj/oDtUsPr1q8wBYM91uEHCn6j/1");
    CHECK(sealed.iv == "AAECAwQFBgcICQoLDA0ODw==");
    constexpr size_t two_blocks = 44; // 32 bytes in base64
    CHECK(seal_secret("0123456789abcdef", key, iv).data.size() == two_blocks);
}

TEST_CASE("an encrypted image names its secret where its format decrypts") {
    Bench bench;
    bench.facts.secrets.value = [](const SecretReference&) { return std::string("value"); };
    bench.facts.secrets.seal = [](std::string_view) { return SealedSecret{}; };
    DiskDef disk;
    disk.target.dev = "vda";
    FileSource file;
    file.path = "/images/a";
    disk.image.source = file;
    disk.image.index = 1;
    disk.image.format = DiskFormat::raw;
    disk.image.encryption.emplace().format = EncryptionFormat::luks;
    disk.image.encryption->secrets.emplace_back();
    const auto images = [](const auto& c, const auto& d) { return plan_disk_images(c, d); };
    CHECK(bench.plan(images, disk).back().props["driver"] == "luks");
    disk.image.format = DiskFormat::qcow2;
    CHECK(bench.plan(images, disk).back().props["encrypt"]["format"] == "luks");
    disk.image.format = DiskFormat::vmdk;
    CHECK(refusal([&] { bench.plan(images, disk); }) == "disk format 'vmdk' cannot be encrypted");
    disk.image.encryption.reset();
    disk.image.format = DiskFormat::luks;
    CHECK(refusal([&] { bench.plan(images, disk); }) ==
          "a disk image of format 'luks' needs <encryption> with its secret");
}

TEST_CASE("descriptors of a group stand for the file, one access mode or several") {
    Bench bench;
    DiskDef disk;
    disk.target.dev = "vda";
    FileSource file;
    file.path = "/images/a";
    file.fdgroup = "group";
    disk.image.source = file;
    disk.image.index = 1;
    disk.image.format = DiskFormat::raw;
    const auto images = [](const auto& c, const auto& d) { return plan_disk_images(c, d); };
    CHECK(refusal([&] { bench.plan(images, disk); }) ==
          "disk source: no descriptors were given for the fdgroup 'group'");
    bench.facts.fd_groups["group"] = 1;
    Plan plan = bench.plan(images, disk);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].option == "-add-fd");
    CHECK(plan[1].props["filename"] == "/dev/fdset/0");
    CHECK(plan[1].props["read-only"] == false);
    CHECK_FALSE(plan[1].props.contains("auto-read-only"));
    bench.facts.fd_groups["group"] = 2;
    plan = bench.plan(images, disk);
    REQUIRE(plan.size() == 4);
    CHECK(plan[2].props["auto-read-only"] == true);
}

TEST_CASE("a TPM needs its model, its back end and an emulator that runs") {
    Bench bench;
    TpmDef tpm;
    tpm.model = TpmModel::tpm_crb;
    tpm.backend = EmulatorTpm{};
    tpm.info.alias = "tpm0";
    CHECK(refusal([&] { bench.plan(plan_tpm, tpm); }) ==
          "tpm model 'tpm-crb': '/usr/bin/qemu' does not have it");
    bench.caps.tpm_models = {"tpm-crb"};
    CHECK(refusal([&] { bench.plan(plan_tpm, tpm); }) ==
          "tpm: no TPM emulator runs for this guest");
    bench.facts.tpm_socket = "/run/guest/tpm.sock";
    CHECK(refusal([&] { bench.plan(plan_tpm, tpm); }) ==
          "tpm backend version '2.0': the host's TPM emulator does not play it");
    bench.facts.tpm_versions = {TpmVersion::v2_0};
    CHECK(refusal([&] { bench.plan(plan_tpm, tpm); }) ==
          "tpm backend: '/usr/bin/qemu' was built without 'emulator'");
    bench.caps.tpm_types = {"emulator"};
    bench.caps.chardev_types = {"socket"};
    const Plan plan = bench.plan(plan_tpm, tpm);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].text == "socket,id=chrtpm,path=/run/guest/tpm.sock");
    CHECK(plan[1].text == "emulator,id=tpm-tpm0,chardev=chrtpm");
}

TEST_CASE("shared memory without a server has a file, with one a socket") {
    Bench bench;
    ShmemDef shmem;
    shmem.name = "board";
    shmem.info = on_pci("shmem0", 5);
    shmem.model = ShmemModel::ivshmem;
    CHECK(refusal([&] { bench.plan(plan_shmem, shmem); }) ==
          "shmem 'board': '/usr/bin/qemu' has no device 'ivshmem'");
    bench.caps.types = {"ivshmem-plain", "ivshmem-doorbell"};
    shmem.model = ShmemModel::ivshmem_plain;
    CHECK(bench.plan(plan_shmem, shmem)[0].props["mem-path"] == "/dev/shm/board");
    shmem.server.emplace();
    CHECK(refusal([&] { bench.plan(plan_shmem, shmem); }) ==
          "shmem 'board': model 'ivshmem-plain' has neither <server> nor <msi>");
}

TEST_CASE("a file system is served by QEMU or by a daemon, and by nothing else") {
    Bench bench;
    FilesystemDef filesystem;
    filesystem.type = FilesystemType::mount;
    filesystem.target_dir = "tag";
    filesystem.source_dir = "/export";
    filesystem.fmode = 0644;
    filesystem.info = on_pci("fs0", 4);
    bench.caps.types = {"virtio-9p-device"};
    const Plan plan = bench.plan(plan_filesystem, filesystem);
    REQUIRE(plan.size() == 2);
    CHECK(plan[0].text == "local,security_model=passthrough,fmode=0644,id=fsdev-fs0,path=/export");
    filesystem.type = FilesystemType::ram;
    CHECK(refusal([&] { bench.plan(plan_filesystem, filesystem); }) ==
          "filesystem 'tag': type 'ram' is not supported");
}

TEST_CASE("a network back end that QEMU lacks is refused by name") {
    Bench bench;
    InterfaceDef card;
    card.source = VdpaSource{"/dev/vhost-vdpa-0"};
    card.mac = "52:54:00:00:00:01";
    card.model = "virtio";
    card.info = on_pci("net0", 3);
    CHECK(refusal([&] { bench.plan(plan_netdev, card); }) ==
          "interface '52:54:00:00:00:01': network back end 'vhost-vdpa' of '/usr/bin/qemu' is not "
          "supported");
    bench.caps.netdev_types = {"vhost-vdpa"};
    const Plan plan = bench.plan(plan_netdev, card);
    CHECK(plan.back().props["vhostdev"] == "/dev/fdset/1");
}

TEST_CASE("a volume is a file, a device or an iSCSI LUN, as its pool says") {
    DiskDef disk;
    disk.target.dev = "vda";
    disk.image.source = VolumeSource{"pool", "unit:0:0:7", PoolSourceMode::direct};
    VolumeFacts facts;
    facts.pool = PoolKind::dir;
    facts.name = "unit:0:0:7";
    facts.path = "/pool/a";
    CHECK(refusal([&] { resolve_volume(disk, disk.image, facts); }) ==
          "disk 'vda': <source mode=> is for pools of type 'iscsi', not 'dir'");
    facts.pool = PoolKind::iscsi;
    facts.device = "target";
    facts.hosts.emplace_back().name = "example.org";
    DiskDef lun = disk;
    resolve_volume(lun, lun.image, facts);
    CHECK(std::get<NetworkSource>(lun.image.source).name == "target/7");
    facts.pool = PoolKind::rbd;
    disk.image.source = VolumeSource{"pool", "a", {}};
    CHECK(refusal([&] { resolve_volume(disk, disk.image, facts); }) ==
          "disk 'vda': a volume of a pool of type 'rbd' cannot be a disk");
    facts.pool = PoolKind::dir;
    facts.kind = VolumeKind::file;
    DiskImage below;
    below.source = VolumeSource{"pool", "a", {}};
    resolve_volume(disk, below, facts);
    CHECK(std::get<FileSource>(below.source).path == "/pool/a");
    CHECK(disk.image.type() == DiskType::volume);
}

TEST_CASE("locked memory: a hard limit wins, then the wish, then what devices map") {
    constexpr uint64_t gib = uint64_t{1} << 30;
    DomainDef def;
    def.memory.total_kib = 1024 * 1024;
    CHECK(locked_memory_limit(def) == 0);
    HostdevDef hostdev;
    hostdev.source = PciHostdev{};
    def.devices.hostdevs = {hostdev, hostdev};
    CHECK(locked_memory_limit(def) == 2 * gib); // one address space for both
    def.devices.iommu.emplace();
    CHECK(locked_memory_limit(def) == 3 * gib); // one for each
    DiskDef disk;
    disk.image.source = NvmeSource{};
    def.devices.disks = {disk};
    CHECK(locked_memory_limit(def) == 4 * gib);
    def.memory_backing.emplace().locked = true;
    CHECK(locked_memory_limit(def) == unlimited_memory);
    def.memtune.emplace().hard_limit_kib = 1024;
    CHECK(locked_memory_limit(def) == 1024 * 1024);
}
