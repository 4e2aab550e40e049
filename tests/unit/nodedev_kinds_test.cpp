// SPDX-License-Identifier: LGPL-2.1-or-later
// Kinds of devices that this machine need not have.
#include "nodedev-driver/model/capability_kind.hpp"
#include "nodedev-driver/probe/probe.hpp"
#include "nodedev-driver/registry.hpp"
#include "tests/support/device_tree.hpp"

#include <doctest/doctest.h>

using namespace vireo::nodedev;
using namespace vireo::test;
using vireo::Sysfs;

namespace {

ProbeSources sources(const HostTree& host) {
    return ProbeSources{.sysfs = Sysfs(host.root()),
                        .names = [](const std::string&, const char*) { return std::string(); },
                        .vpd = {}};
}

template <class T>
const T& as(const std::optional<NodeDevice>& device) {
    REQUIRE(device.has_value());
    REQUIRE(std::holds_alternative<T>(device->capability));
    return std::get<T>(device->capability);
}

void add_type(HostTree& host, const std::string& parent, const std::string& id, const char* count) {
    const std::string folder = parent + "/mdev_supported_types/" + id;
    host.write(folder + "/device_api", "vfio-pci\n");
    host.write(folder + "/available_instances", count);
}

} // namespace

TEST_CASE("a SCSI host tells its Fibre Channel names and virtual ports") {
    HostTree host;
    const std::string path = pci_bus + "/0000:04:00.0/host4";
    host.device(path, "bus/scsi", {{"uevent", "DEVTYPE=scsi_host\n"}});
    const auto plain = probe_device(sources(host), path);
    CHECK(plain->name == "scsi_host4");
    CHECK(as<ScsiHostCapability>(plain) ==
          ScsiHostCapability{.host = 4, .unique_id = -1, .fc_host = {}, .vport_ops = {}});
    host.write("/sys/class/scsi_host/host4/unique_id", "3\n");
    host.write("/sys/class/fc_host/host4/node_name", "0x2001001b32a9da5b\n");
    host.write("/sys/class/fc_host/host4/port_name", "0x2101001b32a9da5b\n");
    host.write("/sys/class/fc_host/host4/vport_create", "");
    host.write("/sys/class/fc_host/host4/max_npiv_vports", "127\n");
    host.write("/sys/class/fc_host/host4/npiv_vports_inuse", "2\n");
    const auto adapter = probe_device(sources(host), path);
    const auto& found = as<ScsiHostCapability>(adapter);
    CHECK(found.unique_id == 3);
    CHECK(found.fc_host->wwnn == "2001001b32a9da5b");
    CHECK(found.fc_host->wwpn == "2101001b32a9da5b");
    CHECK(found.vport_ops == VportOps{.max_vports = 127, .vports = 2});
}

TEST_CASE("SCSI targets and units are named by their place") {
    HostTree host;
    const std::string target = pci_bus + "/0000:04:00.0/host4/rport-4:0-1/target4:0:1";
    host.device(target, "bus/scsi", {{"uevent", "DEVTYPE=scsi_target\n"}});
    host.write("/sys/class/fc_remote_ports/rport-4:0-1/port_name", "0x9d73bc45f0e21a86\n");
    host.device(
        target + "/4:0:1:7", "bus/scsi", {{"type", "5\n"}, {"uevent", "DEVTYPE=scsi_device\n"}});
    host.device(target + "/4:0:1:7/scsi_generic/sg3",
                "class/scsi_generic",
                {{"uevent", "MAJOR=21\nMINOR=3\nDEVNAME=sg3\n"}});
    const auto found = probe_device(sources(host), target);
    CHECK(found->name == "scsi_target4_0_1");
    CHECK(as<ScsiTargetCapability>(found).target == "target4:0:1");
    CHECK(as<ScsiTargetCapability>(found).remote_port->rport == "rport-4:0-1");
    CHECK(as<ScsiTargetCapability>(found).remote_port->wwpn == "0x9d73bc45f0e21a86");
    const auto unit = probe_device(sources(host), target + "/4:0:1:7");
    CHECK(unit->name == "scsi_4_0_1_7");
    CHECK(as<ScsiCapability>(unit) ==
          ScsiCapability{.host = 4, .bus = 0, .target = 1, .lun = 7, .type = "cdrom"});
    const auto generic = probe_device(sources(host), target + "/4:0:1:7/scsi_generic/sg3");
    CHECK(generic->name == "scsi_generic_sg3");
    CHECK(as<ScsiGenericCapability>(generic).character == "/dev/sg3");
}

TEST_CASE("display nodes are told by their numbers; connectors are none") {
    HostTree host;
    const std::string folder = pci_bus + "/0000:00:02.0/drm/";
    const auto add = [&](const std::string& name, const std::string& uevent) {
        host.device(folder + name, "class/drm", {{"uevent", uevent}});
        return probe_device(sources(host), folder + name);
    };
    const auto render =
        add("renderD129", "MAJOR=226\nMINOR=129\nDEVNAME=dri/renderD129\nDEVTYPE=drm_minor\n");
    CHECK(render->name == "drm_renderD129");
    CHECK(render->devnode == "/dev/dri/renderD129");
    CHECK(as<DrmCapability>(render).type == DrmType::render);
    CHECK(as<DrmCapability>(add("card0", "MINOR=0\nDEVTYPE=drm_minor\n")).type == DrmType::primary);
    CHECK_FALSE(add("card0-DP-1", "DEVTYPE=drm_connector\n").has_value());
    CHECK_FALSE(add("card9", "MINOR=500\nDEVTYPE=drm_minor\n").has_value());
}

TEST_CASE("a mediated device is named by its UUID and its parent, which lists its types") {
    HostTree host;
    const std::string parent = pci_bus + "/0000:00:02.0";
    const std::string uuid = "200f228a-c80a-4d50-bfb7-f5a0e4e34045";
    host.device(parent, "bus/pci", {{"vendor", "0x8086\n"}, {"device", "0x3e92\n"}});
    add_type(host, parent, "i915-GVTg_V5_4", "1\n");
    add_type(host, parent, "i915-GVTg_V5_8", "none\n");
    host.device(parent + "/" + uuid, "bus/mdev", {{"uevent", "DRIVER=vfio_mdev\n"}});
    CHECK_FALSE(probe_device(sources(host), parent + "/" + uuid).has_value()); // not ready yet
    host.link(parent + "/" + uuid + "/mdev_type", parent + "/mdev_supported_types/i915-GVTg_V5_4");
    host.link(parent + "/" + uuid + "/iommu_group", "/sys/kernel/iommu_groups/9");
    const auto mdev = probe_device(sources(host), parent + "/" + uuid);
    CHECK(mdev->name == "mdev_200f228a_c80a_4d50_bfb7_f5a0e4e34045_0000_00_02_0");
    CHECK(as<MdevCapability>(mdev) == MdevCapability{.type_id = "i915-GVTg_V5_4",
                                                     .uuid = uuid,
                                                     .parent_addr = "0000:00:02.0",
                                                     .iommu_group = 9,
                                                     .attributes = {}});
    const auto card = probe_device(sources(host), parent);
    const auto& types = as<PciCapability>(card).mdev_types;
    REQUIRE(types.has_value());
    REQUIRE(types->types.size() == 1);
    CHECK(types->types.front().available_instances == 1);
    CHECK(capability_names(*card) == std::vector<std::string_view>{"pci", "mdev_types"});
}

TEST_CASE("a vDPA device is listed where it can be given to a guest") {
    HostTree host;
    const std::string path = pci_bus + "/0000:65:00.3/vdpa0";
    host.device(path, "bus/vdpa", {{"uevent", "DRIVER=vhost_vdpa\n"}});
    CHECK_FALSE(probe_device(sources(host), path).has_value());
    host.write(path + "/vhost-vdpa-2/dev", "511:2\n");
    const auto vdpa = probe_device(sources(host), path);
    CHECK(vdpa->name == "vdpa_vdpa0");
    CHECK(as<VdpaCapability>(vdpa).chardev == "/dev/vhost-vdpa-2");
}

TEST_CASE("the channel subsystem shows what is online and what a driver holds") {
    HostTree host;
    const std::string channel = "/sys/devices/css0/0.0.0070";
    host.device(channel, "bus/css", {{"uevent", "DRIVER=io_subchannel\n"}});
    host.write(channel + "/dev_busid", "0.1.ffff\n");
    host.device(channel + "/0.1.ffff", "bus/ccw", {{"online", "0\n"}});
    CHECK_FALSE(probe_device(sources(host), channel + "/0.1.ffff").has_value());
    host.write(channel + "/0.1.ffff/online", "1\n");
    const auto ccw = probe_device(sources(host), channel + "/0.1.ffff");
    CHECK(ccw->name == "ccw_0_1_ffff");
    CHECK(as<CcwCapability>(ccw).address == CcwAddress{0, 1, 0xffff});
    const auto css = probe_device(sources(host), channel);
    CHECK(css->name == "css_0_0_0070");
    CHECK(as<CssCapability>(css).channel_dev_addr == CcwAddress{0, 1, 0xffff});
    host.write(channel + "/uevent", "DRIVER=chsc_subchannel\n");
    CHECK_FALSE(probe_device(sources(host), channel).has_value());
}

TEST_CASE("crypto cards, queues and their matrix") {
    HostTree host;
    const std::string card = "/sys/devices/ap/card07";
    host.device(card, "bus/ap", {{"uevent", "DEVTYPE=ap_card\n"}});
    host.device(card + "/07.0038", "bus/ap", {{"uevent", "DEVTYPE=ap_queue\n"}});
    const std::string matrix = "/sys/devices/vfio_ap/matrix";
    host.device(matrix, "bus/matrix", {});
    add_type(host, matrix, "vfio_ap-passthrough", "65536\n");
    CHECK(probe_device(sources(host), card)->name == "ap_card07");
    CHECK(as<ApCardCapability>(probe_device(sources(host), card)).adapter == 7);
    CHECK(probe_device(sources(host), card + "/07.0038")->name == "ap_07_0038");
    CHECK(as<ApQueueCapability>(probe_device(sources(host), card + "/07.0038")) ==
          ApQueueCapability{7, 0x38});
    CHECK(probe_device(sources(host), matrix)->name == "ap_matrix");
    CHECK(as<ApMatrixCapability>(probe_device(sources(host), matrix)).mdev_types->types.size() ==
          1);
}

TEST_CASE("four sockets: each function has the node that it is near to") {
    HostTree host;
    for (unsigned node = 0; node < 4; ++node) {
        const std::string bus = "/sys/devices/pci0000:" + std::to_string(node) + "0";
        const std::string path = bus + "/0000:" + std::to_string(node) + "0:01.0";
        host.device(path,
                    "bus/pci",
                    {{"vendor", "0x8086\n"},
                     {"device", "0x0a54\n"},
                     {"numa_node", std::to_string(node) + "\n"}});
    }
    const ProbeSources from = sources(host);
    unsigned node = 0;
    for (const std::string& path : device_paths(from)) {
        CHECK(as<PciCapability>(probe_device(from, path)).numa_node == node++);
    }
    CHECK(node == 4);
}

TEST_CASE("an NVMe controller is described by its driver") {
    HostTree host;
    const std::string function = add_nvme_controller(host, "0000:01:00.0", 0);
    const auto device = probe_device(sources(host), function + "/nvme/nvme0");
    CHECK(device->name == "nvme_nvme0");
    CHECK(device->devnode == "/dev/nvme0");
    CHECK(as<NvmeCapability>(device) == NvmeCapability{.controller = "nvme0",
                                                       .address = PciAddress{0, 1, 0, 0},
                                                       .model = "QEMU NVMe Ctrl",
                                                       .serial = "LAB0",
                                                       .firmware = "8.0.0",
                                                       .nqn = "nqn.2019-08.org.qemu:lab",
                                                       .transport = "pcie",
                                                       .state = "live",
                                                       .id = 0,
                                                       .numa_node = 1,
                                                       .secondary = {}});
}

TEST_CASE("SR-IOV: the controllers behind a controller's virtual functions, bound or not") {
    HostTree host;
    const std::string first = add_nvme_controller(host, "0000:01:00.0", 0);
    const std::string second = add_nvme_controller(host, "0000:01:00.1", 1);
    const std::string third = pci_bus + "/0000:01:00.2";
    host.device(third, "bus/pci", {{"vendor", "0x1b36\n"}, {"device", "0x0010\n"}});
    host.write(first + "/sriov_totalvfs", "127\n");
    host.link(first + "/virtfn0", second);
    host.link(first + "/virtfn1", third);
    const auto device = probe_device(sources(host), first + "/nvme/nvme0");
    CHECK(as<NvmeCapability>(device).secondary ==
          SecondaryControllers{
              .max_count = 127,
              .controllers = {{PciAddress{0, 1, 0, 1}, "nvme1"}, {PciAddress{0, 1, 0, 2}, ""}}});
}

TEST_CASE("a namespace is a disk with an id; its controller is its parent") {
    HostTree host;
    const std::string function = add_nvme_controller(host, "0000:01:00.0", 0);
    const std::string disk = add_namespace(host, function + "/nvme/nvme0", 0, 2);
    const auto device = probe_device(sources(host), disk);
    CHECK(device->name == "block_nvme0n2");
    CHECK(device->parent == "nvme_nvme0");
    const auto& space = as<StorageCapability>(device).nvme_namespace;
    REQUIRE(space.has_value());
    CHECK(space->id == 2);
    CHECK(space->controllers == std::vector<std::string>{"nvme0"});
    CHECK(space->size == uint64_t{1} << 30);
    CHECK(space->lba_size == 4096);
    CHECK_FALSE(space->used.has_value());
    CHECK_FALSE(space->metadata_size.has_value());
    CHECK(space->nguid.empty());
    CHECK(space->eui64 == "0025385b61b0a4c1");
    CHECK(space->generic == "/dev/ng0n2");
    host.write(disk + "/nuse", "100\n");
    host.write(disk + "/metadata_bytes", "8\n");
    host.write(disk + "/nguid", "36483331-3000-1234-0025-384100000001\n");
    const auto later = probe_device(sources(host), disk);
    CHECK(as<StorageCapability>(later).nvme_namespace->used == 409600U);
    CHECK(as<StorageCapability>(later).nvme_namespace->metadata_size == 8U);
    CHECK(as<StorageCapability>(later).nvme_namespace->nguid == "36483331300012340025384100000001");
}

TEST_CASE("a namespace of a subsystem with two controllers names those that reach it") {
    HostTree host;
    const std::string subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
    const std::string paths[] = {add_nvme_controller(host, "0000:01:00.0", 0) + "/nvme/nvme0",
                                 add_nvme_controller(host, "0000:02:00.0", 1) + "/nvme/nvme1"};
    host.link(subsystem + "/nvme0", paths[0]);
    host.link(subsystem + "/nvme1", paths[1]);
    host.device(paths[0] + "/nvme0c0n1", "class/block", {{"nsid", "1\n"}});
    host.device(paths[1] + "/nvme0c1n1", "class/block", {{"nsid", "1\n"}});
    host.device(paths[1] + "/nvme0c1n2", "class/block", {{"nsid", "2\n"}});
    const auto both = probe_device(sources(host), add_namespace(host, subsystem, 0, 1));
    const auto one = probe_device(sources(host), add_namespace(host, subsystem, 0, 2));
    CHECK(as<StorageCapability>(both).nvme_namespace->controllers ==
          std::vector<std::string>{"nvme0", "nvme1"});
    CHECK(as<StorageCapability>(one).nvme_namespace->controllers ==
          std::vector<std::string>{"nvme1"});
    CHECK(one->parent == "nvme_nvme1");
    CHECK_FALSE(probe_device(sources(host), paths[0] + "/nvme0c0n1").has_value());
}

TEST_CASE("500 namespaces of one controller are 500 devices below it") {
    HostTree host;
    const std::string function = add_nvme_controller(host, "0000:01:00.0", 0);
    for (unsigned id = 1; id <= 500; ++id) {
        add_namespace(host, function + "/nvme/nvme0", 0, id);
    }
    const ProbeSources from = sources(host);
    std::vector<NodeDevice> found;
    for (const std::string& path : device_paths(from)) {
        if (auto device = probe_device(from, path)) {
            found.push_back(std::move(*device));
        }
    }
    Registry registry;
    registry.assign(std::move(found));
    CHECK(registry.devices().size() == 502);
    size_t below = 0;
    for (const auto& [name, device] : registry.devices()) {
        below += device->parent == "nvme_nvme0" ? 1 : 0;
    }
    CHECK(below == 500);
}
