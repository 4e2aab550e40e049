// SPDX-License-Identifier: LGPL-2.1-or-later
// What a start looks up on the host: generic SCSI devices, and a context id that is free.
#include "libshared/error.hpp"
#include "qemu-driver/launch/scsi_devices.hpp"
#include "qemu-driver/launch/vsock.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/model_bench.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace vireo;
using namespace vireo::qemu;

namespace {

DomainDef with_devices(const std::string& devices) {
    return parse_domain(testing::guest(devices), true);
}

std::string scsi(const std::string& adapter, const std::string& address) {
    return fmt::format("<hostdev mode='subsystem' type='scsi'><source><adapter name='{}'/>"
                       "<address {}/></source></hostdev>",
                       adapter,
                       address);
}

/// The generic devices, in the order of the document, or why there are none.
std::string generic_devices(const std::string& devices, const Sysfs& host) {
    DomainDef def = with_devices(devices);
    for (std::size_t i = 0; i < def.devices.hostdevs.size(); ++i) {
        def.devices.hostdevs[i].info.alias = fmt::format("hostdev{}", i);
    }
    std::string all;
    try {
        for (const auto& [alias, node] : find_scsi_devices(def, host, 4)) {
            all += fmt::format("{} {} {}\n", alias, node.number, node.generic);
        }
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::operation_failed);
        return e.what();
    }
    return all;
}

} // namespace

TEST_CASE("a SCSI device of the host is found by adapter and address") {
    test::HostTree tree;
    tree.write("/sys/bus/scsi/devices/2:0:1:0/scsi_generic/sg3/dev", "21:3");
    tree.write("/sys/bus/scsi/devices/4:0:0:7/model", "no driver");
    const Sysfs host(tree.root());
    const std::string there = scsi("scsi_host2", "bus='0' target='1' unit='0'");
    const std::string iscsi =
        "<hostdev mode='subsystem' type='scsi'><source protocol='iscsi' name='iqn.1992-01.com.a/1'>"
        "<host name='example.org'/></source></hostdev>";
    CHECK(generic_devices(there + iscsi, host) == "hostdev0 5 /dev/sg3\nhostdev1 6 \n");
    const auto refused = [&](const std::string& devices, const char* words) {
        const std::string why = generic_devices(devices, host);
        INFO(why);
        CHECK(why.find(words) != std::string::npos);
        CHECK(why.starts_with("line "));
    };
    refused(scsi("scsi_host2", "bus='0' target='1' unit='1'"),
            "the host has no SCSI device 2:0:1:1");
    refused(scsi("scsi_host4", "bus='0' target='0' unit='7'"), "load the kernel's module 'sg'");
    refused(scsi("sda", "bus='0' target='0' unit='7'"), "<adapter name='sda'/> is no SCSI host");
}

TEST_CASE("a context id that nobody has is chosen where the document leaves it open") {
    std::set<std::uint32_t> taken{3, 4, 6};
    const auto is_free = [&](std::uint32_t cid) { return !taken.contains(cid); };
    DomainDef def = with_devices("<vsock model='virtio'><cid auto='yes'/></vsock>");
    choose_vsock_cid(def, is_free);
    CHECK(def.devices.vsock->cid == 5);
    DomainDef fixed = with_devices("<vsock model='virtio'><cid address='4'/></vsock>");
    choose_vsock_cid(fixed, is_free);
    CHECK(fixed.devices.vsock->cid == 4);
    DomainDef none = with_devices("<vsock model='virtio'><cid auto='yes'/></vsock>");
    CHECK_THROWS_WITH_AS(choose_vsock_cid(none, [](std::uint32_t) { return false; }),
                         doctest::Contains("<vsock>: no context id is free"),
                         Error);
}
