// SPDX-License-Identifier: LGPL-2.1-or-later
// vireo-storaged by itself and behind the proxy, with the real qemu-img.
#include "libshared/files.hpp"
#include "tests/support/driver_process.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;

namespace {

using Paths = std::vector<bus::ObjectPath>;
using PoolInfo = std::tuple<int32_t, uint64_t, uint64_t, uint64_t>;
using VolumeInfo = std::tuple<int32_t, uint64_t, uint64_t>;

const Target direct_connect{"", "/org/libvirt/QEMU", "org.libvirt.Connect"};
constexpr uint64_t mib = 1024 * 1024;

/// A daemon with a root and a place for pools.
struct Bench {
    explicit Bench(std::vector<std::string> environment = {}) : environment_(environment) {
        start();
    }

    void start() {
        daemon.emplace("storaged", root.root(), environment_);
        client.emplace(daemon->connect());
    }

    void restart_after(int signal) {
        client.reset();
        daemon->end(signal);
        start();
    }

    std::string pool_xml(const std::string& name) const {
        return "<pool type='dir'><name>" + name + "</name><target><path>" +
               places.at("/" + name).string() + "</path></target></pool>";
    }

    Target pool(const bus::ObjectPath& path) const { return {"", path, "org.libvirt.StoragePool"}; }

    Target volume(const bus::ObjectPath& path) const {
        return {"", path, "org.libvirt.StorageVol"};
    }

    /// A defined pool that runs.
    Target running_pool(const std::string& name) {
        const auto path = client->call<bus::ObjectPath>(
            direct_connect, "StoragePoolDefineXML", pool_xml(name), uint32_t{0});
        client->call(pool(path), "Create", uint32_t{1});
        return pool(path);
    }

    /// Names in a pool's folder, sorted.
    std::vector<std::string> files(const std::string& name) const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(places.at("/" + name))) {
            found.push_back(entry.path().filename());
        }
        std::ranges::sort(found);
        return found;
    }

    HostTree root;
    HostTree places;
    std::optional<DriverProcess> daemon;
    std::optional<Client> client;

  private:
    std::vector<std::string> environment_;
};

std::string volume_xml(const std::string& name, const std::string& format, uint64_t mebibytes) {
    return "<volume><name>" + name + "</name><capacity unit='MiB'>" + std::to_string(mebibytes) +
           "</capacity><allocation>0</allocation><target><format type='" + format +
           "'/></target></volume>";
}

/// A qemu-img that says when it has begun, and then waits for the test.
class HangingQemuImg {
  public:
    HangingQemuImg() {
        tree_.write("/bin/qemu-img",
                    "#!/bin/sh\n"
                    "for word; do case $word in *.partial) echo part > \"$word\";; esac; done\n"
                    "echo began > '" +
                        begun().string() + "'\nexec cat '" + ended().string() + "'\n");
        std::filesystem::permissions(tree_.at("/bin/qemu-img"), std::filesystem::perms::owner_all);
        REQUIRE(mkfifo(begun().c_str(), 0600) == 0);
        REQUIRE(mkfifo(ended().c_str(), 0600) == 0);
    }

    std::string setting() const { return "PATH=" + tree_.at("/bin").string() + ":/usr/bin:/bin"; }

    void wait_until_it_has_begun() const {
        std::ifstream pipe(begun());
        std::string line;
        std::getline(pipe, line);
        REQUIRE(line == "began");
    }

    /// Lets one that is left over by a killed daemon end.
    void let_it_end() const { std::ofstream pipe(ended()); }

  private:
    std::filesystem::path begun() const { return tree_.at("/begun"); }

    std::filesystem::path ended() const { return tree_.at("/ended"); }

    HostTree tree_;
};

void ask_for_volume(Client& client, const Target& pool) {
    const auto call = client.new_call(pool, "StorageVolCreateXML");
    bus::append(call.get(), volume_xml("slow", "qcow2", 1));
    bus::append(call.get(), uint32_t{0});
    check(sd_bus_message_set_expect_reply(call.get(), 0), "expect no reply");
    check(sd_bus_send(client.get(), call.get(), nullptr), "send");
    check(sd_bus_flush(client.get()), "send");
}

} // namespace

TEST_CASE("a pool lives from its definition to its end, and each step is told") {
    Bench bench;
    Client& client = *bench.client;
    Watch events = client.watch(direct_connect, "StoragePoolEvent");
    const auto next = [&] {
        return std::get<1>(events.next<bus::ObjectPath, int32_t, int32_t>(20s));
    };
    const auto path = client.call<bus::ObjectPath>(
        direct_connect, "StoragePoolDefineXML", bench.pool_xml("images"), uint32_t{0});
    const Target pool = bench.pool(path);
    CHECK(next() == 0);
    CHECK_FALSE(client.get<bool>(pool, "Active"));
    CHECK(client.get<bool>(pool, "Persistent"));
    CHECK(client.call<PoolInfo>(pool, "GetInfo") == PoolInfo{0, 0, 0, 0});
    CHECK(contains(error_of(client, pool, "Create", uint32_t{0}), "No such file or directory"));
    client.call(pool, "Build", uint32_t{0});
    CHECK(next() == 4);
    client.call(pool, "Create", uint32_t{0});
    CHECK(next() == 2);
    CHECK(client.get<bool>(pool, "Active"));
    CHECK(std::get<0>(client.call<PoolInfo>(pool, "GetInfo")) == 2);
    CHECK(contains(error_of(client, pool, "Create", uint32_t{0}), "is already active"));
    CHECK(contains(error_of(client, pool, "Undefine"), "is still active"));
    client.call(pool, "Destroy");
    CHECK(next() == 3);
    CHECK(contains(error_of(client, pool, "Destroy"), "is not active"));
    client.call(pool, "Delete", uint32_t{0});
    CHECK(next() == 5);
    CHECK_FALSE(std::filesystem::exists(bench.places.at("/images")));
    client.call(pool, "Undefine");
    CHECK(next() == 1);
    CHECK(error_of(client, pool, "GetInfo")
              .starts_with(
                  "org.libvirt.Error: Storage pool not found: no storage pool with matching uuid"));
}

TEST_CASE("volumes are created, found, grown and deleted") {
    Bench bench;
    Client& client = *bench.client;
    const Target pool = bench.running_pool("images");
    const auto create = [&](const std::string& xml) {
        return client.call<bus::ObjectPath>(pool, "StorageVolCreateXML", xml, uint32_t{0});
    };
    const auto base = create(volume_xml("base.qcow2", "qcow2", 64));
    const std::string base_file = bench.places.at("/images/base.qcow2");
    create(volume_xml("disk.img", "raw", 8));
    const auto overlay =
        create("<volume><name>top.qcow2</name><target><format type='qcow2'/>"
               "<permissions><mode>0640</mode></permissions></target>"
               "<backingStore><path>" +
               base_file + "</path><format type='qcow2'/></backingStore></volume>");
    CHECK(bench.files("images") == std::vector<std::string>{"base.qcow2", "disk.img", "top.qcow2"});
    CHECK(client.call<Paths>(pool, "ListStorageVolumes", uint32_t{0}).size() == 3);
    CHECK(client.call<bus::ObjectPath>(direct_connect, "StorageVolLookupByPath", base_file) ==
          base);
    CHECK(client.call<bus::ObjectPath>(direct_connect, "StorageVolLookupByKey", base_file) == base);
    CHECK(client.call<bus::ObjectPath>(pool, "StorageVolLookupByName", "top.qcow2") == overlay);
    CHECK(client.get<std::string>(bench.volume(base), "Key") == base_file);

    const auto xml = client.call<std::string>(bench.volume(overlay), "GetXMLDesc", uint32_t{0});
    CHECK(contains(xml, "<capacity unit='bytes'>67108864</capacity>"));
    CHECK(contains(xml, "<path>" + base_file + "</path>"));
    CHECK(contains(xml, "<mode>0640</mode>"));
    CHECK(contains(client.call<std::string>(bench.volume(base), "GetXMLDesc", uint32_t{0}),
                   "<mode>0600</mode>"));

    const Target disk =
        bench.volume(client.call<bus::ObjectPath>(pool, "StorageVolLookupByName", "disk.img"));
    client.call(disk, "Resize", uint64_t{4 * mib}, uint32_t{2});
    CHECK(std::get<1>(client.call<VolumeInfo>(disk, "GetInfo", uint32_t{0})) == 12 * mib);
    CHECK(contains(error_of(client, disk, "Resize", uint64_t{mib}, uint32_t{0}), "Can't shrink"));
    client.call(disk, "Resize", uint64_t{mib}, uint32_t{4});
    CHECK(std::get<1>(client.call<VolumeInfo>(disk, "GetInfo", uint32_t{0})) == mib);
    CHECK(std::get<2>(client.call<VolumeInfo>(disk, "GetInfo", uint32_t{1})) == mib);

    client.call(disk, "Delete", uint32_t{0});
    CHECK(contains(error_of(client, disk, "GetInfo", uint32_t{0}),
                   "Storage volume not found: no storage vol with matching key"));
    CHECK(contains(error_of(client, pool, "StorageVolLookupByName", "disk.img"),
                   "no storage vol with matching name 'disk.img'"));
    CHECK(bench.files("images") == std::vector<std::string>{"base.qcow2", "top.qcow2"});
}

TEST_CASE("Refresh sees what came and went, and says so") {
    Bench bench;
    Client& client = *bench.client;
    const Target pool = bench.running_pool("images");
    Watch refreshed = client.watch(pool, "Refresh");
    bench.places.write("/images/new.img", "data");
    CHECK(client.call<Paths>(pool, "ListStorageVolumes", uint32_t{0}).empty());
    client.call(pool, "Refresh", uint32_t{0});
    refreshed.take(20s);
    CHECK(client.call<Paths>(pool, "ListStorageVolumes", uint32_t{0}).size() == 1);
    client.call(pool, "Destroy");
    CHECK(contains(error_of(client, pool, "ListStorageVolumes", uint32_t{0}), "is not active"));
    CHECK(contains(error_of(client, pool, "Delete", uint32_t{0}), "is not empty"));
}

TEST_CASE("a volume that cannot be created leaves nothing") {
    Bench bench;
    Client& client = *bench.client;
    const Target pool = bench.running_pool("images");
    const auto refused = [&](const std::string& xml) {
        return error_of(client, pool, "StorageVolCreateXML", xml, uint32_t{0});
    };
    CHECK(contains(refused("<volume><name>a</name><capacity>1024</capacity><target>"
                           "<format type='qcow2'/><clusterSize>3</clusterSize></target></volume>"),
                   "operation failed: create volume 'a': qemu-img: "));
    CHECK(contains(refused("<volume><name>a</name><capacity>1024</capacity><target><format "
                           "type='qcow2'/></target><backingStore><path>/no/such</path>"
                           "</backingStore></volume>"),
                   "/no/such"));
    CHECK(contains(refused("<volume><name>../a</name><capacity>1</capacity></volume>"), "'/'"));
    CHECK(contains(refused("<volume><name>a</name></volume>"), "capacity is missing"));
    CHECK(contains(refused("<volume>"), "XML error"));
    CHECK(contains(refused("<volume type='block'><name>a</name><capacity>1</capacity></volume>"),
                   "unsupported configuration"));
    CHECK(bench.files("images").empty());
    client.call(pool, "StorageVolCreateXML", volume_xml("a", "raw", 1), uint32_t{0});
    CHECK(contains(refused(volume_xml("a", "raw", 1)), "storage volume 'a' exists already"));
    CHECK(bench.files("images") == std::vector<std::string>{"a"});
}

TEST_CASE("while qemu-img works, others are answered; a daemon that ends takes back its work") {
    const HangingQemuImg qemu_img;
    for (const int signal : {SIGTERM, SIGKILL}) {
        CAPTURE(signal);
        Bench bench({qemu_img.setting()});
        const Target pool = bench.running_pool("images");
        Client other = bench.daemon->connect();
        ask_for_volume(*bench.client, pool);
        qemu_img.wait_until_it_has_begun();
        CHECK(bench.files("images") == std::vector<std::string>{".vireo-slow.partial"});
        CHECK(other.call<Paths>(pool, "ListStorageVolumes", uint32_t{0}).empty());
        CHECK(other.get<bool>(pool, "Active"));
        bench.restart_after(signal);
        if (signal == SIGKILL) {
            qemu_img.let_it_end();
        }
        CHECK(bench.client->get<bool>(pool, "Active"));
        CHECK(bench.files("images").empty());
    }
}

TEST_CASE("a daemon that was killed knows its pools again, those that run and those that do not") {
    Bench bench;
    const Target running = bench.running_pool("running");
    bench.client->call(running, "StorageVolCreateXML", volume_xml("a", "raw", 1), uint32_t{0});
    const Target stopped = bench.pool(bench.client->call<bus::ObjectPath>(
        direct_connect, "StoragePoolDefineXML", bench.pool_xml("stopped"), uint32_t{0}));
    const Target transient = bench.pool(bench.client->call<bus::ObjectPath>(
        direct_connect, "StoragePoolCreateXML", bench.pool_xml("transient"), uint32_t{1}));
    bench.restart_after(SIGKILL);
    Client& client = *bench.client;
    CHECK(client.call<Paths>(direct_connect, "ListStoragePools", uint32_t{0}).size() == 3);
    CHECK(client.get<bool>(running, "Active"));
    CHECK(client.call<Paths>(running, "ListStorageVolumes", uint32_t{0}).size() == 1);
    CHECK_FALSE(client.get<bool>(stopped, "Active"));
    CHECK(client.get<bool>(transient, "Active"));
    CHECK_FALSE(client.get<bool>(transient, "Persistent"));
    client.call(transient, "Destroy");
    CHECK(client.call<Paths>(direct_connect, "ListStoragePools", uint32_t{0}).size() == 2);
}

TEST_CASE("a pool with autostart starts once after each boot") {
    Bench bench;
    const Target pool = bench.running_pool("images");
    const Target properties{"", pool.path, "org.freedesktop.DBus.Properties"};
    const auto set = [&](bool value) {
        bench.client->call(
            properties, "Set", "org.libvirt.StoragePool", "Autostart", bus::Variant(value));
    };
    set(true);
    CHECK(bench.client->get<bool>(pool, "Autostart"));
    bench.client->call(pool, "Destroy");
    bench.restart_after(SIGTERM);
    CHECK_FALSE(bench.client->get<bool>(pool, "Active")); // no boot in between
    bench.client.reset();
    bench.daemon->end(SIGTERM);
    bench.root.remove("/run"); // what a boot does
    bench.start();
    Client& client = *bench.client;
    // A change waits for those before it: the pool has been started by then.
    CHECK(contains(error_of(client, pool, "Create", uint32_t{0}), "is already active"));
    set(false);
    CHECK_FALSE(client.get<bool>(pool, "Autostart"));
}

TEST_CASE("pools are listed by what is asked for") {
    Bench bench;
    Client& client = *bench.client;
    bench.running_pool("running");
    client.call(direct_connect, "StoragePoolDefineXML", bench.pool_xml("stopped"), uint32_t{0});
    client.call(direct_connect, "StoragePoolCreateXML", bench.pool_xml("transient"), uint32_t{1});
    const auto count = [&](uint32_t flags) {
        return client.call<Paths>(direct_connect, "ListStoragePools", flags).size();
    };
    CHECK(count(0) == 3);
    CHECK(count(1) == 1);
    CHECK(count(2) == 2);
    CHECK(count(3) == 3);
    CHECK(count(4) == 2);
    CHECK(count(2 | 8) == 1);
    CHECK(count(16) == 0);
    CHECK(count(32) == 3);
    CHECK(count(64) == 3);
    CHECK(count(128) == 0);
    CHECK(contains(error_of(client, direct_connect, "ListStoragePools", uint32_t{1U << 30}),
                   "unsupported flags"));
}

TEST_CASE("names, UUIDs and places belong to one pool each") {
    Bench bench;
    Client& client = *bench.client;
    const auto define = [&](const std::string& xml) {
        return error_of(client, direct_connect, "StoragePoolDefineXML", xml, uint32_t{0});
    };
    CHECK(define(bench.pool_xml("images")) == "no error");
    CHECK(contains(define(bench.pool_xml("images")), "pool 'images' already exists with uuid"));
    const std::string place = bench.places.at("/images");
    CHECK(contains(define("<pool type='dir'><name>other</name><target><path>" + place +
                          "//</path></target></pool>"),
                   "Storage source conflict with pool: 'images'"));
    const auto path =
        client.call<bus::ObjectPath>(direct_connect, "StoragePoolLookupByName", "images");
    const auto uuid = client.get<std::string>(bench.pool(path), "UUID");
    CHECK(client.call<bus::ObjectPath>(direct_connect, "StoragePoolLookupByUUID", uuid) == path);
    CHECK(define("<pool type='dir'><name>images</name><uuid>" + uuid +
                 "</uuid><target><path>/elsewhere</path></target></pool>") == "no error");
    CHECK(contains(client.call<std::string>(bench.pool(path), "GetXMLDesc", uint32_t{0}),
                   "<path>/elsewhere</path>"));
    CHECK(contains(error_of(client, direct_connect, "StoragePoolLookupByName", "nope"),
                   "Storage pool not found: no storage pool with matching name 'nope'"));
    CHECK(contains(error_of(client, direct_connect, "StoragePoolLookupByUUID", "nope"),
                   "'nope' is not a UUID"));
    CHECK(contains(error_of(client, direct_connect, "StorageVolLookupByPath", "/nope"),
                   "no storage vol with matching path '/nope'"));
}

TEST_CASE("a definition that is broken costs only itself") {
    Bench bench;
    bench.client->call(
        direct_connect, "StoragePoolDefineXML", bench.pool_xml("images"), uint32_t{0});
    bench.root.write("/etc/storage/half.xml", "<pool type='dir'><name>half</na");
    bench.root.write("/etc/storage/other.xml", bench.pool_xml("third"));
    bench.root.write("/run/storage/nonsense.xml", "\xff\xfe");
    bench.restart_after(SIGTERM);
    CHECK(bench.client->call<Paths>(direct_connect, "ListStoragePools", uint32_t{0}).size() == 1);
    CHECK(std::filesystem::exists(bench.root.at("/etc/storage/half.xml")));
}

TEST_CASE("the host's memory is told, and page sharing set") {
    HostTree host;
    host.write("/proc/meminfo",
               "MemTotal: 4000 kB\nMemFree: 1000 kB\nBuffers: 20 kB\nCached: 300 kB\n");
    host.write("/sys/devices/system/node/node0/meminfo",
               "Node 0 MemTotal: 4000 kB\nNode 0 MemFree: 1000 kB\n");
    host.write("/sys/kernel/mm/ksm/pages_to_scan", "100\n");
    host.write("/sys/kernel/mm/ksm/full_scans", "5\n");
    Bench bench({"VIREO_HOST_TREE=" + host.root().string()});
    Client& client = *bench.client;
    using Stats = std::map<std::string, uint64_t>;
    CHECK(client.call<uint64_t>(direct_connect, "NodeGetFreeMemory") == 1000 * 1024);
    CHECK(client.call<Stats>(direct_connect, "NodeGetMemoryStats", int32_t{-1}, uint32_t{0}) ==
          Stats{{"buffers", 20}, {"cached", 300}, {"free", 1000}, {"total", 4000}});
    CHECK(client.call<Stats>(direct_connect, "NodeGetMemoryStats", int32_t{0}, uint32_t{0}) ==
          Stats{{"free", 1000}, {"total", 4000}});
    CHECK(contains(error_of(client, direct_connect, "NodeGetMemoryStats", int32_t{1}, uint32_t{0}),
                   "invalid argument: no NUMA cell 1"));
    const auto set = [&](const std::string& name, bus::Variant value) {
        return error_of(client,
                        direct_connect,
                        "NodeSetMemoryParameters",
                        bus::Dict{{name, std::move(value)}},
                        uint32_t{0});
    };
    CHECK(set("shm_pages_to_scan", uint32_t{200}) == "no error");
    std::ifstream file(host.at("/sys/kernel/mm/ksm/pages_to_scan"));
    std::string written;
    std::getline(file, written);
    CHECK(written.starts_with("200"));
    CHECK(contains(set("shm_full_scans", uint32_t{1}), "cannot be set"));
    CHECK(contains(set("shm_colour", uint32_t{1}), "no memory parameter is called 'shm_colour'"));
    CHECK(contains(set("shm_pages_to_scan", std::string("many")), "takes a number"));
    CHECK(contains(set("shm_pages_to_scan", uint64_t{1} << 32), "more than 32 bits"));
    CHECK(contains(set("shm_sleep_millisecs", uint32_t{1}), "is not supported by this kernel"));
    // All are looked at before the first is set.
    CHECK(contains(error_of(client,
                            direct_connect,
                            "NodeSetMemoryParameters",
                            bus::Dict{{"shm_pages_to_scan", uint32_t{300}},
                                      {"shm_sleep_millisecs", uint32_t{1}}},
                            uint32_t{0}),
                   "is not supported by this kernel"));
    CHECK(vireo::read_file(host.at("/sys/kernel/mm/ksm/pages_to_scan")).starts_with("200"));
    host.remove("/sys/kernel/mm/ksm");
    CHECK(client.call<bus::Dict>(direct_connect, "NodeGetMemoryParameters", uint32_t{0}).empty());
}

TEST_CASE("the same through the proxy") {
    const HostTree places;
    const Instance instance;
    Client client = instance.connect();
    const auto path =
        client.call<bus::ObjectPath>(libvirt_connect,
                                     "StoragePoolDefineXML",
                                     "<pool type='dir'><name>images</name><target><path>" +
                                         places.at("/images").string() + "</path></target></pool>",
                                     uint32_t{0});
    const Target pool = libvirt_object(path, "org.libvirt.StoragePool");
    Watch events = client.watch(libvirt_connect, "StoragePoolEvent");
    client.call(pool, "Create", uint32_t{1});
    CHECK(events.next<bus::ObjectPath, int32_t, int32_t>(20s) == std::tuple(path, 2, 0));
    const auto volume = client.call<bus::ObjectPath>(
        pool, "StorageVolCreateXML", volume_xml("a.qcow2", "qcow2", 1), uint32_t{0});
    CHECK(client.get<std::string>(libvirt_object(volume, "org.libvirt.StorageVol"), "Name") ==
          "a.qcow2");
    CHECK(client.call<uint64_t>(libvirt_connect, "NodeGetFreeMemory") > 0);
}
