// SPDX-License-Identifier: LGPL-2.1-or-later
// What a document means on this host: org.vireo.Connect1, through the proxy.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

using Words = std::vector<std::string>;

const Target native_connect{"org.vireo", "/org/vireo", "org.vireo.Connect1"};

Words arguments_of(Client& client, const std::string& xml) {
    return client.call<Words>(native_connect, "DomainXMLToArguments", xml);
}

std::string described(Client& client, const std::string& xml) {
    return client.call<std::string>(native_connect, "DescribeXML", xml);
}

bool follows(const Words& words, const std::string& option, const std::string& value) {
    const auto found = std::ranges::find(words, option);
    return found != words.end() && found + 1 != words.end() && *(found + 1) == value;
}

/// The words that a running QEMU was started with.
Words words_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
    Words words;
    for (std::string word; std::getline(file, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

/// Without what is chosen at random, or by the clock.
Words settled(Words words) {
    for (std::string& word : words) {
        word = std::regex_replace(word, std::regex("^[-0-9a-f]{36}$"), "a UUID");
        word = std::regex_replace(word, std::regex("base=[-0-9T:]+"), "base=");
    }
    return words;
}

/// A guest with one of most things, each of which the daemon chooses something for.
std::string furnished_guest(const std::string& name) {
    return small_guest(name,
                       "<graphics type='vnc' autoport='yes'/>\n"
                       "<video><model type='virtio'/></video>\n"
                       "<channel type='unix'><target type='virtio' name='org.example'/></channel>\n"
                       "<input type='tablet' bus='usb'/>\n"
                       "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
                       "<interface type='user'><mac address='52:54:00:11:22:33'/></interface>\n");
}

} // namespace

TEST_CASE("the arguments are those that the guest is then started with") {
    const Instance instance;
    Client client = instance.connect();
    const Words told = arguments_of(client, furnished_guest("web"));
    REQUIRE(!told.empty());
    CHECK(told.front() == "/usr/bin/qemu-system-x86_64");
    CHECK(follows(told, "-name", "guest=web,debug-threads=on"));
    CHECK(!instance.find("qemu-system-x86_64"));

    start(client, define(client, furnished_guest("web")), 1);
    const auto qemu = instance.find("qemu-system-x86_64");
    REQUIRE(qemu);
    const Words really = settled(words_of(*qemu));
    const Words expected = settled(told);
    CHECK(really.size() == expected.size());
    const auto different = std::ranges::mismatch(really, expected);
    CHECK_MESSAGE(different.in1 == really.end(), *different.in1 << " is not " << *different.in2);

    // Another guest of the kind gets another port and another folder.
    const Words second = arguments_of(client, furnished_guest("mail"));
    CHECK(settled(second) != settled(told));
}

TEST_CASE("nothing is left of a question") {
    const Instance instance;
    Client client = instance.connect();
    const auto disk = (instance.root() / "missing.qcow2").string();
    const std::string xml = small_guest(
        "web",
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='" + disk +
            "'/><target dev='vda' bus='virtio'/></disk>\n");
    arguments_of(client, xml); // its QEMU is probed, the daemons run
    // What is learnt of QEMU is written while an answer is on its way.
    const auto files = [&] {
        auto all = instance.files();
        std::erase_if(all, [](const std::string& file) { return file.starts_with("cache/"); });
        return all;
    };
    const auto before = files();
    const Words words = arguments_of(client, xml);
    CHECK(std::ranges::any_of(words, [&](const auto& word) { return contains(word, disk); }));
    described(client, xml);
    CHECK(files() == before);
    CHECK(list_domains(client).empty());
    CHECK(!instance.find("qemu-system-x86_64"));
}

TEST_CASE("the completed document is the one that is stored") {
    const Instance instance;
    Client client = instance.connect();
    const std::string xml =
        furnished_guest("web").insert(std::string("<domain type='qemu'>\n").size(),
                                      "<uuid>0b1c6a72-0a3f-4f6e-9d4b-3f1f6f4f0001</uuid>\n");
    const std::string completed = described(client, xml);
    CHECK(contains(completed, "<controller type='pci' index='0' model='pcie-root'"));
    CHECK(contains(completed, "machine='pc-q35-"));
    CHECK(list_domains(client).empty());
    CHECK(xml_of(client, define(client, xml), 1) == completed);
}

TEST_CASE("a document that cannot be read or cannot work is refused with its lines") {
    const Instance instance;
    Client client = instance.connect();
    const auto refusal = [&](const char* method, const std::string& xml) {
        return error_of(client, native_connect, method, xml);
    };
    for (const char* method : {"DomainXMLToArguments", "DescribeXML"}) {
        const std::string unread =
            refusal(method, small_guest("web", "<disk type='fil'/>\n<input type='abacus'/>\n"));
        CHECK_MESSAGE(unread.starts_with("org.vireo.Error.Xml: "), unread);
        CHECK_MESSAGE(contains(unread, "line 8: domain/devices/disk"), unread);
        CHECK_MESSAGE(contains(unread, "line 9: domain/devices/input"), unread);

        const std::string wrong =
            refusal(method, small_guest("web", "<input type='tablet' bus='ps2'/>\n"));
        CHECK_MESSAGE(wrong.starts_with("org.vireo.Error.ConfigUnsupported: "), wrong);
        CHECK_MESSAGE(contains(wrong, "line 8: <input>: bus='ps2'"), wrong);

        const std::string absent =
            refusal(method, small_guest("web", "<emulator>/nonexistent/qemu</emulator>\n"));
        CHECK_MESSAGE(contains(absent, "'/nonexistent/qemu'"), absent);
    }
    // What only a start finds out.
    const std::string xml =
        small_guest("web",
                    "<interface type='user'><bandwidth><inbound average='1000'/></bandwidth>"
                    "</interface>\n");
    described(client, xml);
    CHECK(contains(refusal("DomainXMLToArguments", xml), "<bandwidth> is not supported"));
}

namespace {

/// The command beside the daemon, on the same instance.
Finished vireo_xml(const Instance& instance, const std::string& verb, const std::string& xml) {
    const auto file = instance.root() / "document.xml";
    std::ofstream(file) << xml;
    return run_command(
        {.words =
             {build_dir() / "tools/vireo-xml", verb, "--root", instance.root(), "domain", file}},
        60s);
}

} // namespace

TEST_CASE("the command says of this host what the daemon says") {
    const Instance instance;
    Client client = instance.connect();
    std::string xml = furnished_guest("web");
    xml.insert(xml.find("<memory"), "<uuid>0b1c6a72-0a3f-4f6e-9d4b-3f1f6f4f0002</uuid>\n");
    // Without the daemon and its cache at first.
    const Finished alone = vireo_xml(instance, "argv", xml);
    CHECK_MESSAGE(alone.status == 0, alone.output);
    CHECK(nlohmann::json::parse(alone.output).get<Words>() == arguments_of(client, xml));
    CHECK(vireo_xml(instance, "xml", xml).output == described(client, xml));
    CHECK(vireo_xml(instance, "check", xml).output.empty());

    // Beside a running guest: the next number, and another port.
    start(client, define(client, furnished_guest("mail")), 1);
    const Finished beside = vireo_xml(instance, "argv", xml);
    CHECK(nlohmann::json::parse(beside.output).get<Words>() == arguments_of(client, xml));
    CHECK(beside.output != alone.output);

    const Finished refused =
        vireo_xml(instance, "check", small_guest("web", "<input type='tablet' bus='ps2'/>\n"));
    CHECK(refused.status == 1);
    CHECK(contains(refused.output, "vireo-xml: line 8: <input>: bus='ps2'"));
}

TEST_CASE("busctl shows it") {
    const Instance instance;
    const auto busctl = [&](const std::string& method, const std::string& xml) {
        return instance.run(
            {"busctl", "call", "org.vireo", "/org/vireo", "org.vireo.Connect1", method, "s", xml},
            60s);
    };
    const Finished arguments = busctl("DomainXMLToArguments", small_guest("web"));
    CHECK(arguments.status == 0);
    CHECK_MESSAGE(arguments.output.starts_with("as "), arguments.output);
    CHECK(contains(arguments.output, "\"/usr/bin/qemu-system-x86_64\" \"-name\" "));
    const Finished document = busctl("DescribeXML", small_guest("web"));
    CHECK(document.status == 0);
    CHECK_MESSAGE(document.output.starts_with("s \"<domain type="), document.output);
    const Finished refused = busctl("DescribeXML", "<domain/>");
    CHECK(refused.status != 0);
    CHECK_MESSAGE(contains(refused.output, "line 1: "), refused.output);
}
