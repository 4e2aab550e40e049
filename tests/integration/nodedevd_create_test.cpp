// SPDX-License-Identifier: LGPL-2.1-or-later
// Devices that are made and removed: mediated devices by a mdevctl of the test's, virtual ports.
#include "tests/support/device_tree.hpp"
#include "tests/support/driver_process.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <sstream>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

namespace {

const std::string prefix = "/org/libvirt/QEMU/nodedev/";
const Target connect{"", "/org/libvirt/QEMU", "org.libvirt.Connect"};
const std::string card = pci_bus + "/0000:00:02.0";
const std::string uuid = "200f228a-c80a-4d50-bfb7-f5a0e4e34045";
const std::string mdev_path =
    prefix + "mdev_5f200f228a_5fc80a_5f4d50_5fbfb7_5ff5a0e4e34045_5f0000_5f00_5f02_5f0";

Target device(const std::string& path) {
    return {"", path, "org.libvirt.NodeDevice"};
}

std::string mdev_document(const std::string& type, const std::string& id) {
    return "<device><parent>pci_0000_00_02_0</parent><capability type='mdev'><type id='" + type +
           "'/>" + (id.empty() ? "" : "<uuid>" + id + "</uuid>") +
           "<attr name='a' value='1'/></capability></device>";
}

/// A host with a display that makes mediated devices, and a mdevctl that tells what it is run with
/// and does what the file `answer` says.
struct MdevHost {
    MdevHost() {
        add_small_host(host);
        host.device(card, "bus/pci", {{"vendor", "0x8086\n"}, {"device", "0x3e92\n"}});
        const std::string type = card + "/mdev_supported_types/gvt";
        host.write(type + "/device_api", "vfio-pci\n");
        host.write(type + "/available_instances", "2\n");
        host.write("/bin/mdevctl",
                   "#!/bin/sh\n"
                   "folder=${0%/bin/mdevctl}\n"
                   "echo \"$@\" >> $folder/calls\n"
                   "case $1 in start) cat >> $folder/calls; echo >> $folder/calls;; esac\n"
                   ". $folder/answer\n");
        std::filesystem::permissions(host.at("/bin/mdevctl"), std::filesystem::perms::owner_all);
    }

    std::vector<std::string> environment() const {
        return {"VIREO_HOST_TREE=" + host.root().string(),
                "PATH=" + host.at("/bin").string() + ":" + std::getenv("PATH")};
    }

    std::string calls() const {
        std::ifstream file(host.at("/calls"));
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    void add_mdev() {
        const std::string path = card + "/" + uuid;
        host.link(path + "/mdev_type", card + "/mdev_supported_types/gvt");
        host.link(path + "/iommu_group", "/sys/kernel/iommu_groups/9");
        host.device(path, "bus/mdev", {{"uevent", "DRIVER=vfio_mdev\n"}});
    }

    HostTree host;
    TemporaryFolder root;
};

} // namespace

TEST_CASE("a mediated device is made by mdevctl, told of, and removed") {
    MdevHost made;
    made.add_mdev(); // what mdevctl will have made
    made.host.remove("/sys/bus/mdev/devices");
    made.host.write("/answer", "");
    const DriverProcess daemon("nodedevd", made.root.path(), made.environment());
    Client client = daemon.connect();
    Watch events = client.watch(connect, "NodeDeviceEvent");
    using Event = std::tuple<bus::ObjectPath, int32_t, int32_t>;
    const auto next = [&] { return events.next<bus::ObjectPath, int32_t, int32_t>(20s); };
    CHECK(client.call<bus::ObjectPath>(
              connect, "NodeDeviceCreateXML", mdev_document("gvt", uuid), uint32_t{1}) ==
          mdev_path);
    CHECK(next() == Event{bus::ObjectPath(mdev_path), 0, 0});
    CHECK(made.calls() == "start --parent=0000:00:02.0 --jsonfile=/dev/stdin --uuid=" + uuid +
                              "\n{\"mdev_type\":\"gvt\",\"start\":\"manual\","
                              "\"attrs\":[{\"a\":\"1\"}]}\n");
    // A guest has it.
    made.host.write("/proc/99/comm", "qemu\n");
    made.host.link("/proc/99/fd/12", "/dev/vfio/9");
    CHECK(error_of(client, device(mdev_path), "Destroy").find("resource busy") !=
          std::string::npos);
    made.host.remove("/proc/99");
    made.host.write("/answer", "rm -rf $folder" + card + "/" + uuid + "\n");
    client.call(device(mdev_path), "Destroy");
    CHECK(next() == Event{bus::ObjectPath(mdev_path), 1, 0});
    CHECK(made.calls().ends_with("\nstop --uuid=" + uuid + "\n"));
}

TEST_CASE("a UUID that mdevctl chooses is found; the kernel may tell of the device later") {
    MdevHost made;
    const std::string fifo = made.host.at("/fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    made.host.write("/answer", "echo " + uuid + "; echo done > $folder/fifo\n");
    const DriverProcess daemon("nodedevd", made.root.path(), made.environment());
    Client client = daemon.connect();
    Client other = daemon.connect();
    other.call<std::vector<bus::ObjectPath>>(connect, "ListNodeDevices", uint32_t{0});
    auto created = std::async(std::launch::async, [&client] {
        return client.call<bus::ObjectPath>(
            connect, "NodeDeviceCreateXML", mdev_document("gvt", ""), uint32_t{0});
    });
    std::string word;
    std::ifstream(fifo) >> word; // mdevctl runs
    made.add_mdev();
    made.host.send_uevent("add", card + "/" + uuid);
    CHECK(created.get() == mdev_path);
}

TEST_CASE("what cannot be made is refused with the reason") {
    MdevHost made;
    made.host.write("/answer", "echo 'no space left on the card' >&2; exit 3\n");
    const DriverProcess daemon("nodedevd", made.root.path(), made.environment());
    Client client = daemon.connect();
    const auto refused = [&](const std::string& document, uint32_t flags = 0) {
        return error_of(client, connect, "NodeDeviceCreateXML", document, flags);
    };
    CHECK(refused(mdev_document("gvt", uuid)).find("no space left on the card") !=
          std::string::npos);
    CHECK(refused(mdev_document("other", uuid)) ==
          "org.libvirt.Error: Requested operation is not valid: device 'pci_0000_00_02_0' makes no "
          "mediated device of type 'other'");
    CHECK(refused("<device><parent>pci_9</parent><capability type='mdev'><type id='gvt'/>"
                  "</capability></device>")
              .find("Node device not found") != std::string::npos);
    CHECK(refused("<device><capability type='pci'/></device>")
              .find("'pci' is not one of scsi_host, mdev") != std::string::npos);
    CHECK(refused(mdev_document("gvt", "12")).find("XML error") != std::string::npos);
    const std::string named = "<device><name>x</name>" + mdev_document("gvt", uuid).substr(8);
    CHECK(refused(named).find("no space left") != std::string::npos);
    CHECK(refused(named, 1).find("XML error") != std::string::npos);
    CHECK(refused(named, 2).find("unsupported flags (0x2)") != std::string::npos);
    CHECK(error_of(client, device(prefix + "computer"), "Destroy") ==
          "org.libvirt.Error: Operation not supported: device 'computer' is no mediated device and "
          "no virtual port: only these can be removed");
}

TEST_CASE("virtual ports of a Fibre Channel adapter are made and removed by the kernel") {
    HostTree host;
    const TemporaryFolder root;
    const std::string adapter = pci_bus + "/0000:04:00.0/host4";
    host.device(adapter, "bus/scsi", {{"uevent", "DEVTYPE=scsi_host\n"}});
    const auto add_names = [&host](const std::string& name, const std::string& digit) {
        const std::string folder = "/sys/class/fc_host/" + name;
        host.write(folder + "/node_name", "0x200100000000000" + digit + "\n");
        host.write(folder + "/port_name", "0x210100000000000" + digit + "\n");
        host.write(folder + "/fabric_name", "0x2001000dec9877c1\n");
    };
    add_names("host4", "4");
    host.write("/sys/class/fc_host/host4/vport_create", "");
    host.write("/sys/class/fc_host/host4/vport_delete", "");
    host.write("/sys/class/fc_host/host4/max_npiv_vports", "127\n");
    host.write("/sys/class/fc_host/host4/npiv_vports_inuse", "0\n");
    // The kernel makes it while it is written to; the device itself is not listed yet.
    const std::string port = adapter + "/vport-4:0-0/host5";
    host.device(port, "bus/scsi", {{"uevent", "DEVTYPE=scsi_host\n"}});
    add_names("host5", "5");
    host.link("/sys/class/fc_host/host5/device", port);
    host.remove("/sys/bus/scsi/devices/host5");
    const DriverProcess daemon(
        "nodedevd", root.path(), {"VIREO_HOST_TREE=" + host.root().string()});
    Client client = daemon.connect();
    const auto document = [](const std::string& parent, const std::string& names) {
        return "<device>" + parent + "<capability type='scsi_host'><capability type='fc_host'>" +
               names + "</capability></capability></device>";
    };
    const std::string names = "<wwnn>2001000000000005</wwnn><wwpn>2101000000000005</wwpn>";
    const auto create = [&](const std::string& parent) {
        return client.call<bus::ObjectPath>(
            connect, "NodeDeviceCreateXML", document(parent, names), uint32_t{0});
    };
    const auto written = [&host](const std::string& attribute) {
        std::ifstream file(host.at("/sys/class/fc_host/host4/" + attribute));
        std::string text;
        std::getline(file, text);
        return text;
    };
    for (const char* parent : {"<parent>scsi_host4</parent>",
                               "<parent wwnn='2001000000000004' wwpn='2101000000000004'/>",
                               "<parent fabric_wwn='2001000dec9877c1'/>",
                               ""}) {
        CAPTURE(std::string(parent));
        host.write("/sys/class/fc_host/host4/vport_create", "");
        CHECK(create(parent) == prefix + "scsi_5fhost5");
        CHECK(written("vport_create") == "2101000000000005:2001000000000005");
    }
    CHECK(client.get<std::string>(device(prefix + "scsi_5fhost5"), "Parent") == "scsi_host4");
    client.call(device(prefix + "scsi_5fhost5"), "Destroy");
    CHECK(written("vport_delete") == "2101000000000005:2001000000000005");
    const auto refused = [&](const std::string& text) {
        return error_of(client, connect, "NodeDeviceCreateXML", text, uint32_t{0});
    };
    CHECK(refused(document("<parent>computer</parent>", names))
              .find("there is no Fibre Channel adapter 'computer' that can have virtual ports") !=
          std::string::npos);
    CHECK(refused(document("<parent>scsi_host4</parent>", "<wwnn>12</wwnn>"))
              .find("'12' is no World Wide Name") != std::string::npos);
    CHECK(refused("<device><parent>scsi_host4</parent><capability type='scsi_host'/></device>")
              .find("as a virtual port only") != std::string::npos);
    CHECK(error_of(client, device(prefix + "scsi_5fhost4"), "Destroy")
              .find("only these can be removed") != std::string::npos);
}
