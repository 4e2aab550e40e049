// SPDX-License-Identifier: LGPL-2.1-or-later
// CPUs of guests on the installed QEMU, under TCG; what a client may ask about CPUs.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <regex>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

using Words = std::vector<std::string>;

std::string guest_with(const std::string& name, const std::string& cpu) {
    std::string xml = small_guest(name);
    return xml.insert(xml.find("  <devices>"), cpu + "\n");
}

std::string capabilities_of(Client& client) {
    return client.call<std::string>(
        libvirt_connect, "GetDomainCapabilities", "", "", "", "qemu", std::uint32_t{0});
}

/// The text of the first element that begins so, to its end.
std::string element(const std::string& xml, const std::string& begin, const std::string& name) {
    const auto from = xml.find(begin);
    REQUIRE_MESSAGE(from != std::string::npos, xml);
    const std::string end = "</" + name + ">";
    return xml.substr(from, xml.find(end, from) + end.size() - from);
}

/// The value of `-cpu` of the only guest that runs.
std::string cpu_argument(const Instance& instance) {
    const auto pid = instance.find("qemu-system-x86_64");
    REQUIRE(pid);
    std::ifstream file("/proc/" + std::to_string(*pid) + "/cmdline", std::ios::binary);
    for (std::string word; std::getline(file, word, '\0');) {
        if (word == "-cpu") {
            std::getline(file, word, '\0');
            return word;
        }
    }
    return "";
}

std::int32_t compare(Client& client, const std::string& cpu, std::uint32_t flags = 0) {
    return client.call<std::int32_t>(libvirt_connect, "CompareCPU", cpu, flags);
}

std::string baseline(Client& client, const Words& cpus, std::uint32_t flags = 0) {
    return client.call<std::string>(libvirt_connect, "BaselineCPU", cpus, flags);
}

} // namespace

TEST_CASE("a host-model guest runs with a model of its own, which its document shows") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client,
               guest_with("web",
                          "<cpu mode='host-model'><feature policy='disable' name='svm'/>"
                          "<feature policy='require' name='aes'/></cpu>"));
    start(client, path, 1);
    const std::string live = element(xml_of(client, path), "<cpu ", "cpu");
    CHECK_MESSAGE(contains(live, "mode='custom' match='exact'"), live);
    CHECK_MESSAGE(contains(live, "<feature policy='disable' name='svm'/>"), live);
    const auto name =
        std::regex_replace(element(live, "<model", "model"), std::regex("<[^>]*>"), "");
    const std::string argument = cpu_argument(instance);
    CHECK_MESSAGE(argument.starts_with(name + ","), argument);
    CHECK_MESSAGE(contains(argument + ",", ",svm=off,"), argument);
    CHECK_MESSAGE(contains(argument + ",", ",aes=on,"), argument);
    // The definition leaves it to the host of the next start.
    CHECK(contains(xml_of(client, path, 2), "<cpu mode='host-model'"));
    CHECK(element(xml_of(client, path, 2 | 4), "<cpu ", "cpu") == live);

    // A killed daemon comes back to the same guest.
    instance.end("vireo-qemud", SIGKILL);
    CHECK(element(xml_of(client, path), "<cpu ", "cpu") == live);
    destroy(client, path);
}

TEST_CASE("QEMU gives a host-model guest all that it was started with") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, guest_with("web", "<cpu mode='host-model'/>"));
    start(client, path, 1);
    const auto log = instance.root() / "log/qemu/web.log";
    std::ifstream file(log);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    CHECK_MESSAGE(!contains(text, "warning"), text); // "TCG doesn't support requested feature"
    destroy(client, path);
}

TEST_CASE("a CPU that the host cannot give is refused by its features before anything starts") {
    const Instance instance;
    Client client = instance.connect();
    const auto refusal = [&](const std::string& cpu) {
        const ObjectPath path = define(client, guest_with("web", cpu));
        const std::string message = message_of([&] { start(client, path, 1); });
        client.call(domain_at(path), "Undefine", std::uint32_t{0});
        return message;
    };
    const std::string missing =
        refusal("<cpu mode='custom' check='partial'><model>Skylake-Server</model></cpu>");
    CHECK_MESSAGE(missing.starts_with("the CPU is incompatible with host CPU: "), missing);
    CHECK_MESSAGE(contains(missing, ": <cpu>: the host does not have required features: "),
                  missing);
    CHECK_MESSAGE(contains(missing, "avx512f"), missing);
    const std::string strict =
        refusal("<cpu match='strict' check='partial'><model>Conroe</model></cpu>");
    CHECK_MESSAGE(contains(strict, "match='strict' does not allow: "), strict);
    const std::string forbidden = refusal("<cpu check='full'><model>Conroe</model>"
                                          "<feature policy='forbid' name='lm'/></cpu>");
    CHECK_MESSAGE(contains(forbidden, "forbidden: lm"), forbidden);
    CHECK_MESSAGE(contains(refusal("<cpu><model>Turing-1936</model></cpu>"), "'Turing-1936'"),
                  "an unknown model");
    CHECK(!instance.find("qemu-system-x86_64"));
}

TEST_CASE("domain capabilities show what a host-model guest would get, and the usable models") {
    const Instance instance;
    Client client = instance.connect();
    const std::string xml = capabilities_of(client);
    const std::string host = element(xml, "<mode name='host-model' supported='yes'>", "mode");
    CHECK_MESSAGE(contains(host, "<model fallback='forbid'>"), host);
    CHECK_MESSAGE(contains(host, "<feature policy='require' name='hypervisor'/>"), host);
    const std::string custom = element(xml, "<mode name='custom' supported='yes'>", "mode");
    CHECK(contains(custom, "<model usable='yes' vendor='Intel'>Conroe</model>"));
    CHECK(contains(custom, "<model usable='no' vendor='Intel'>Skylake-Server</model>"));
    CHECK(contains(custom, "vendor='unknown'>qemu64</model>"));
    CHECK(contains(xml, "<mode name='host-passthrough' supported='no'/>"));
    CHECK(contains(xml, "<mode name='maximum' supported='yes'>"));
}

TEST_CASE("CPUs are compared with what guests of this host can have") {
    const Instance instance;
    Client client = instance.connect();
    CHECK(compare(client, "<cpu><model>486</model></cpu>") == 2);
    CHECK(compare(client, "<cpu><arch>x86_64</arch><feature name='fpu'/></cpu>") == 2);
    const std::string absent = "<cpu><model>486</model><feature name='ia64'/></cpu>";
    CHECK(compare(client, absent) == 0);
    const std::string why = message_of([&] { compare(client, absent, 1); });
    CHECK_MESSAGE(why.starts_with("the CPU is incompatible with host CPU: "), why);
    CHECK_MESSAGE(contains(why, "ia64"), why);
    // What domain capabilities say the host is, it is.
    const std::string capabilities = client.call<std::string>(
        libvirt_connect, "GetDomainCapabilities", "", "", "", "", std::uint32_t{0});
    CHECK(compare(client, capabilities) == 1);

    CHECK(contains(message_of([&] { compare(client, "<cpu><model>?</model></cpu>"); }), "'?'"));
    CHECK(contains(message_of([&] { compare(client, "<cpu><tea/></cpu>", 2); }), "line 1: "));
    CHECK(compare(client, "<cpu><tea/></cpu>") == 2);
    CHECK(contains(message_of([&] { compare(client, "<teapot/>"); }), "<teapot> holds no <cpu>"));
    CHECK(contains(message_of([&] { compare(client, "<cpu><arch>vax</arch></cpu>"); }), "'vax'"));
    CHECK(message_of([&] { compare(client, "<cpu/>", 4); }).starts_with("invalid argument: "));
}

TEST_CASE("the CPU that several hosts have in common") {
    const Instance instance;
    Client client = instance.connect();
    const std::string haswell = "<cpu><model>Haswell</model><vendor>Intel</vendor></cpu>";
    const std::string penryn = "<cpu><model>Penryn</model><vendor>Intel</vendor></cpu>";
    const std::string common = baseline(client, {haswell, penryn});
    CHECK_MESSAGE(contains(common, ">Penryn</model>"), common);
    CHECK_MESSAGE(contains(common, "<vendor>Intel</vendor>"), common);
    CHECK(contains(baseline(client, {penryn}, 1), "<feature policy='require' name='sse4.1'/>"));
    CHECK_FALSE(contains(baseline(client, {penryn}), "sse4.1"));
    const std::string bound =
        "<cpu><model>Penryn</model><feature policy='require' name='invtsc'/></cpu>";
    CHECK(contains(baseline(client, {bound}), "name='invtsc'"));
    CHECK_FALSE(contains(baseline(client, {bound}, 2), "name='invtsc'"));
    CHECK(contains(baseline(client, {capabilities_of(client)}), "<cpu mode='custom'"));

    const std::string epyc = "<cpu><model>EPYC</model><vendor>AMD</vendor></cpu>";
    CHECK(contains(message_of([&] { baseline(client, {haswell, epyc}); }), "different vendors"));
    CHECK(contains(message_of([&] { baseline(client, {"<cpu/>"}); }), "names no <model>"));
    CHECK(message_of([&] { baseline(client, {}); }).starts_with("invalid argument: "));
    CHECK(message_of([&] { baseline(client, {penryn}, 4); }).starts_with("invalid argument: "));
}
