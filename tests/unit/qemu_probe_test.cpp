// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/probe.hpp"
#include "tests/support/installed_qemu.hpp"
#include "tests/support/qmp_child.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>

using namespace vireo;
using namespace vireo::qemu;
using nlohmann::json;

namespace {

/// A recorded conversation: commands and answers in turn, each a JSON document; a second
/// `qmp_capabilities` starts the second run.
std::vector<std::vector<ProbeReply>> recorded(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::vector<ProbeReply>> runs;
    json command, answer;
    while (file >> std::ws && file.peek() != EOF) {
        file >> command >> answer;
        if (command["execute"] == "qmp_capabilities") {
            runs.emplace_back();
        }
        runs.back().push_back({command["execute"], command.value("arguments", json()), answer});
    }
    return runs;
}

json minimal_schema() {
    return json::parse(R"([
        {"name":"netdev_add","meta-type":"command","arg-type":"1","ret-type":"0"},
        {"name":"1","meta-type":"object","members":[{"name":"type","type":"2"}]},
        {"name":"2","meta-type":"enum","values":["user","tap"]}])");
}

std::vector<ProbeReply> minimal_replies() {
    const auto reply = [](const char* command, json value) {
        json answer = json::object();
        answer["return"] = std::move(value);
        return ProbeReply{command, nullptr, answer};
    };
    return {reply("query-version", json::parse(R"({"qemu":{"major":6,"minor":2,"micro":0}})")),
            reply("query-target", json::parse(R"({"arch":"x86_64"})")),
            reply("query-qmp-schema", minimal_schema()),
            reply("qom-list-types", json::parse(R"([{"name":"qxl"},{"name":"pc-machine"}])")),
            reply("query-machines", json::parse(R"([{"name":"none"},{"name":"pc-1","alias":"pc",
                "cpu-max":4,"default-cpu-type":"qemu64-x86_64-cpu"}])")),
            reply("query-cpu-definitions",
                  json::parse(R"([{"name":"qemu64","unavailable-features":["x"]}])")),
            reply("query-command-line-options",
                  json::parse(R"([{"option":"spice","parameters":[{"name":"gl"}]}])"))};
}

} // namespace

TEST_CASE("the installed QEMU is understood") {
    const auto first = test::probe_installed_qemu(ProbeRun::best_accelerator);
    const auto caps = capabilities_from_replies("/usr/bin/qemu-system-x86_64", first);
    CHECK(caps.arch == "x86_64");
    CHECK_NOTHROW(require_supported(caps));
    REQUIRE(caps.machine("q35"));
    CHECK(caps.machine("q35")->name.starts_with("pc-q35-"));
    CHECK(caps.machine("q35")->max_cpus > 1);
    CHECK(caps.machine("q35")->default_ram_id == "pc.ram");
    REQUIRE(caps.default_machine());
    CHECK(caps.default_machine()->alias == "pc");
    CHECK_FALSE(caps.machine("none"));
    CHECK_FALSE(caps.machine(""));
    CHECK(caps.has_type("virtio-blk-pci"));
    CHECK_FALSE(caps.has_type("virtio-blk-ccw"));
    CHECK(caps.has_property("virtio-blk-pci", "iothread"));
    CHECK(caps.block_drivers.contains("qcow2"));
    CHECK(caps.netdev_types.contains("user"));
    CHECK(caps.chardev_types.contains("pty"));
    CHECK(caps.display_types.contains("none"));
    CHECK(caps.has_option("vnc"));
    CHECK(caps.has_command("device_add"));
    CHECK_FALSE(caps.cpu_models(caps.kvm_enabled).empty());
}

TEST_CASE("TCG's models are learnt in a run of their own") {
    auto first = test::probe_installed_qemu(ProbeRun::best_accelerator);
    const auto tcg = test::probe_installed_qemu(ProbeRun::tcg_only);
    for (ProbeReply& reply : first) {
        if (reply.execute == "query-kvm") {
            reply.answer["return"]["enabled"] = true;
        }
    }
    const auto caps = capabilities_from_replies("qemu", first, tcg);
    CHECK_FALSE(caps.kvm_cpu_models.empty());
    CHECK_FALSE(caps.tcg_cpu_models.empty());
    const auto host = host_cpu(caps, false);
    REQUIRE(host);
    CHECK(host->all.features.count() > 20);
    CHECK((host->migratable & ~host->all.features).none());
}

TEST_CASE("a recorded conversation of a richer QEMU is understood") {
    const std::string dir = test::conformance_dir();
    if (dir.empty()) {
        MESSAGE("no conformance corpora beside this tree: nothing to read");
        return;
    }
    const auto runs = recorded(dir + "/capabilities/caps_8.0.0.x86_64.replies");
    REQUIRE(runs.size() == 2);
    const auto caps = capabilities_from_replies("/usr/bin/qemu-system-x86_64", runs[0], runs[1]);
    CHECK(caps.version.number() == 7002050);
    CHECK(caps.package == "v7.2.0-333-g222059a0fc");
    CHECK(caps.kvm_enabled);
    CHECK(caps.has_type("qxl"));
    CHECK(caps.has_option("spice", "gl"));
    CHECK(caps.has_option("machine", "hpet"));
    CHECK(caps.has_option("sandbox"));
    CHECK(caps.file_aio == StringSet{"io_uring", "native", "threads"});
    CHECK(caps.netdev_types.contains("stream"));
    CHECK(caps.has_property("virtio-mem-pci", "prealloc"));
    CHECK(caps.has_property("memory-backend-file", "reserve"));
    const auto host = host_cpu(caps, true);
    REQUIRE(host);
    CHECK(host->all.vendor == "AMD");
    CHECK(host->migratable[cpu_feature("svm").value()]);
    CHECK(host->all.features[cpu_feature("invtsc").value()]);
    CHECK_FALSE(host->migratable[cpu_feature("invtsc").value()]);
    CHECK(caps.machine("pc-q35-8.0") == caps.machine("q35"));
    CHECK_NOTHROW(require_supported(caps));
}

TEST_CASE("a QEMU without JSON network options is refused with its version") {
    const auto caps = capabilities_from_replies("/opt/old", minimal_replies());
    CHECK(caps.machine("pc")->default_cpu == "qemu64");
    CHECK(caps.types == StringSet{"qxl"});
    CHECK_FALSE(caps.tcg_cpu_models.at(0).usable());
    CHECK_THROWS_WITH_AS(
        require_supported(caps), "'/opt/old' is QEMU 6.2.0, at least 7.2 is needed", Error);
}

TEST_CASE("a missing or malformed answer is an error, not an empty capability") {
    auto replies = minimal_replies();
    replies.erase(replies.begin());
    CHECK_THROWS_WITH_AS(
        capabilities_from_replies("q", replies), "QEMU did not answer 'query-version'", Error);
    replies = minimal_replies();
    replies[1].answer = json::parse(R"({"error":{"class":"GenericError","desc":"no"}})");
    CHECK_THROWS_AS(capabilities_from_replies("q", replies), Error);
    replies = minimal_replies();
    replies[4].answer["return"] = 7;
    CHECK_THROWS_AS(capabilities_from_replies("q", replies), Error);
}

TEST_CASE("the cache gives back the same value, and nothing when the binary changed") {
    const auto caps = capabilities_from_replies("/opt/q", minimal_replies());
    BinaryIdentity identity{"/opt/q", 1, 2, 3, "6.1", true};
    const std::string text = to_cache(identity, caps);
    CHECK(from_cache(text, identity) == caps);
    CHECK_FALSE(from_cache(text.substr(0, text.size() / 2), identity));
    CHECK_FALSE(from_cache("[]", identity));
    identity.mtime_ns = 4;
    CHECK_FALSE(from_cache(text, identity));
}

TEST_CASE("a binary is identified by its file, and a missing one is an error") {
    const auto identity = identify_binary("/proc/self/exe");
    CHECK(identity.size > 0);
    CHECK(identity.mtime_ns > 0);
    CHECK_THROWS_AS(identify_binary("/nonexistent/qemu"), Error);
    CHECK_THROWS_AS(identify_binary("/"), Error);
}
