// SPDX-License-Identifier: LGPL-2.1-or-later
// The clients that our users have, as they are: busctl, gdbus, Python, C++, the README's commands.
#include "tests/support/instance.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo::test;
using vireo::bus::ObjectPath;

ObjectPath define(const Instance& instance, const std::string& name) {
    return instance.connect().call<ObjectPath>(libvirt_connect,
                                               "DomainDefineXML",
                                               "<domain type='qemu'><name>" + name +
                                                   "</name><memory>65536</memory><os>"
                                                   "<type machine='q35'>hvm</type></os></domain>");
}

/// The first fenced block of shell commands under the heading.
std::string shell_block(const std::string& heading) {
    std::ostringstream text;
    text << std::ifstream(source_dir() / "README.md").rdbuf();
    const std::string readme = text.str();
    const auto section = readme.find("\n" + heading + "\n");
    REQUIRE(section != std::string::npos);
    const std::string opening = "\n```sh\n";
    const auto begin = readme.find(opening, section) + opening.size();
    return readme.substr(begin, readme.find("```", begin) - begin);
}

} // namespace

TEST_CASE("busctl shows and calls the interfaces") {
    const Instance instance;
    const Finished shown =
        instance.run({"busctl", "--user", "introspect", "org.libvirt", "/org/libvirt/QEMU"}, 30s);
    CHECK(shown.status == 0);
    CHECK_MESSAGE(contains(shown.output, ".DomainDefineXML"), shown.output);
    const Finished called = instance.run({"busctl",
                                          "call",
                                          "org.libvirt",
                                          "/org/libvirt/QEMU",
                                          "org.libvirt.Connect",
                                          "ListDomains",
                                          "u",
                                          "0"},
                                         30s);
    CHECK(called.output == "ao 0\n");
}

TEST_CASE("gdbus shows and calls the interfaces") {
    const Instance instance;
    const Finished shown = instance.run({"gdbus",
                                         "introspect",
                                         "--session",
                                         "--dest",
                                         "org.libvirt",
                                         "--object-path",
                                         "/org/libvirt/QEMU"},
                                        30s);
    CHECK(shown.status == 0);
    CHECK_MESSAGE(contains(shown.output, "DomainDefineXML"), shown.output);
    const Finished called = instance.run({"gdbus",
                                          "call",
                                          "--system",
                                          "--dest",
                                          "org.libvirt",
                                          "--object-path",
                                          "/org/libvirt/QEMU",
                                          "--method",
                                          "org.libvirt.Connect.ListDomains",
                                          "0"},
                                         30s);
    CHECK(called.output == "(@ao [],)\n");
}

TEST_CASE("busctl talks to a driver's socket directly") {
    const Instance instance;
    instance.connect().call<std::vector<ObjectPath>>(
        libvirt_connect, "ListNodeDevices", std::uint32_t{0});
    const Finished called =
        instance.run({"busctl",
                      "--address=unix:path=" + (instance.root() / "run/nodedevd.sock").string(),
                      "call",
                      "org.libvirt",
                      "/org/libvirt/QEMU",
                      "org.libvirt.Connect",
                      "ListNodeDevices",
                      "u",
                      "0"},
                     30s);
    CHECK(called.status == 0);
    CHECK_MESSAGE(contains(called.output, "/org/libvirt/QEMU/nodedev/"), called.output);
}

TEST_CASE("the Python example lists domains and hears of their events") {
    const Instance instance;
    define(instance, "first");
    const std::string script = R"(
exec {output}< <(exec /usr/bin/python3 "$1" --session 2)
while IFS= read -r -t 30 line <&"$output"; do
    echo "$line"
    [ "$line" != watching ] || break
done
call() { busctl call org.libvirt "$@" > /dev/null; }
path=$(busctl call org.libvirt /org/libvirt/QEMU org.libvirt.Connect DomainLookupByName s first)
path=${path#*\"} path=${path%\"}
call "$path" org.libvirt.Domain Create u 1
call "$path" org.libvirt.Domain Destroy u 0
cat <&"$output"
)";
    const Finished finished = instance.run(
        {"bash", "-euc", script, "bash", source_dir() / "examples/watch_domains.py"}, 60s);
    CHECK(finished.status == 0);
    CHECK_MESSAGE(contains(finished.output, "first: shut off\nwatching\n"), finished.output);
    CHECK_MESSAGE(contains(finished.output, "first: started"), finished.output);
}

TEST_CASE("the C++ example lists domains and their states") {
    const Instance instance;
    define(instance, "first");
    define(instance, "second");
    const std::string socket = instance.bus_address().substr(std::string("unix:path=").size());
    const Finished finished = instance.run(
        {build_dir() / "examples/domain_states", socket.substr(0, socket.find(','))}, 30s);
    CHECK(finished.status == 0);
    CHECK_MESSAGE(contains(finished.output, "first: shut off\n"), finished.output);
    CHECK_MESSAGE(contains(finished.output, "second: shut off\n"), finished.output);
}

TEST_CASE("the commands of the README do what it says") {
    const Instance instance;
    const std::string commands = shell_block("## Five minutes with busctl");
    const Finished finished =
        instance.run({"bash", "-euc", "cd \"$VIREO_ROOT\"\n" + commands}, 120s);
    CHECK_MESSAGE(finished.status == 0, finished.output);
    CHECK_MESSAGE(contains(finished.output, "(ii) 1 1\n"), finished.output);
    CHECK(std::ranges::none_of(instance.processes(), [](const Process& process) {
        return process.program.starts_with("qemu-system");
    }));
}

TEST_CASE("the tour boots a guest and leaves nothing") {
    const Instance instance;
    const Finished finished = instance.run({"env",
                                            "VIREO_GUEST=" + (build_dir() / "guest").string(),
                                            source_dir() / "examples/tour.sh"},
                                           500s);
    CHECK_MESSAGE(finished.status == 0, finished.output);
    CHECK(contains(finished.output, "Hello from your guest: Linux"));
    CHECK(contains(finished.output, "That was it."));
    CHECK(std::ranges::none_of(instance.processes(), [](const Process& process) {
        return process.program.starts_with("qemu-system");
    }));
}
