// SPDX-License-Identifier: LGPL-2.1-or-later
// UEFI guests: which firmware they get, and what becomes of its variables, on real QEMU.
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

namespace fs = std::filesystem;

constexpr std::uint32_t paused = 1;
constexpr std::uint32_t reset_nvram = 32;
constexpr std::uint32_t remove_nvram = 4;
constexpr std::uint32_t keep_nvram = 8;
constexpr std::size_t flash_bytes = 128 * 1024; // QEMU wants whole blocks of 4 KiB

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::string flash(char content) {
    return std::string(flash_bytes, content);
}

/// A firmware of the instance's own that wins over the host's: nothing but a name and bytes.
void install_firmware(const Instance& instance) {
    const fs::path folder = instance.root() / "firmware";
    write(folder / "CODE.fd", flash('c'));
    write(folder / "VARS.fd", flash('v'));
    write(instance.root() / "etc/qemu/firmware/00-test.json",
          R"({
        "description": "for a test", "interface-types": ["uefi"],
        "mapping": {"device": "flash", "mode": "split",
                    "executable": {"filename": ")" +
              (folder / "CODE.fd").string() +
              R"(", "format": "raw"},
                    "nvram-template": {"filename": ")" +
              (folder / "VARS.fd").string() +
              R"(", "format": "raw"}},
        "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}],
        "features": [], "tags": []})");
}

std::string efi_guest(const std::string& name) {
    std::string xml = small_guest(name);
    xml.replace(xml.find("<os>"), 4, "<os firmware='efi'>");
    return xml;
}

fs::path variables(const Instance& instance, const std::string& name) {
    return instance.root() / "lib/qemu/nvram" / (name + "_VARS.fd");
}

void undefine(Client& client, const ObjectPath& path, std::uint32_t flags) {
    client.call(domain_at(path), "Undefine", flags);
}

} // namespace

TEST_CASE("a definition gets firmware from the descriptors and keeps it") {
    const Instance instance;
    install_firmware(instance);
    Client client = instance.connect();
    const ObjectPath path = define(client, efi_guest("web"));
    const std::string xml = xml_of(client, path);
    CHECK_MESSAGE(contains(xml, "/firmware/CODE.fd</loader>"), xml);
    CHECK_MESSAGE(contains(xml, "type='pflash'"), xml);
    CHECK_MESSAGE(contains(xml, "/firmware/VARS.fd'"), xml);
    CHECK_MESSAGE(contains(xml, variables(instance, "web").string()), xml);
    // What is shown is no new wish: it stays when the host has other firmware.
    fs::rename(instance.root() / "etc/qemu/firmware/00-test.json", instance.root() / "away.json");
    define(client, xml);
    CHECK(xml_of(client, path) == xml);
    start(client, path, paused);
    CHECK(state_of(client, path) == StatePair(3, 1));
}

TEST_CASE("capabilities tell of the firmware, and a wish for none that is there is refused") {
    const Instance instance;
    install_firmware(instance);
    Client client = instance.connect();
    const auto described = [&](const std::string& machine) {
        return client.call<std::string>(libvirt_connect,
                                        "GetDomainCapabilities",
                                        "",
                                        "x86_64",
                                        machine,
                                        "qemu",
                                        std::uint32_t{0});
    };
    CHECK(contains(described("q35"), "<value>efi</value>"));
    CHECK(contains(described("q35"), "/firmware/CODE.fd</value>"));
    std::string secure = efi_guest("web");
    secure.insert(secure.find("</os>"),
                  "<firmware><feature enabled='yes' name='enrolled-keys'/></firmware>"
                  "<loader secure='yes' stateless='yes'/>");
    CHECK(contains(message_of([&] { define(client, secure); }), "firmware"));
}

TEST_CASE("variables are made from their template, kept, reset and removed") {
    const Instance instance;
    install_firmware(instance);
    Client client = instance.connect();
    const ObjectPath path = define(client, efi_guest("web"));
    const fs::path file = variables(instance, "web");
    CHECK_FALSE(fs::exists(file));
    start(client, path, paused);
    CHECK(read(file) == flash('v'));
    CHECK((fs::status(file).permissions() & fs::perms::others_all) == fs::perms::none);
    destroy(client, path);

    write(file, flash('w')); // what the guest would have stored
    start(client, path, paused);
    CHECK(read(file) == flash('w'));
    destroy(client, path);
    start(client, path, paused | reset_nvram);
    CHECK(read(file) == flash('v'));
    CHECK(contains(message_of([&] { undefine(client, path, remove_nvram); }), "in use"));
    destroy(client, path);

    CHECK(contains(message_of([&] { undefine(client, path, 0); }), "with nvram"));
    CHECK(message_of([&] {
              undefine(client, path, keep_nvram | remove_nvram);
          }).starts_with("invalid argument: "));
    undefine(client, path, keep_nvram);
    CHECK(fs::exists(file));
    const ObjectPath again = define(client, efi_guest("web"));
    undefine(client, again, remove_nvram);
    CHECK_FALSE(fs::exists(file));
}

TEST_CASE("a flash loader that is named finds the template of its descriptor") {
    const Instance instance;
    install_firmware(instance);
    Client client = instance.connect();
    std::string xml = small_guest("web");
    xml.insert(xml.find("</os>"),
               "<loader readonly='yes' type='pflash'>" +
                   (instance.root() / "firmware/CODE.fd").string() + "</loader>");
    const ObjectPath path = define(client, xml);
    start(client, path, paused);
    CHECK(read(variables(instance, "web")) == flash('v'));
}

TEST_CASE("the host's own UEFI firmware starts") {
    if (!fs::exists("/usr/share/qemu/firmware/60-edk2-x86_64.json")) {
        MESSAGE("skipped: package ovmf is not installed");
        return;
    }
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, efi_guest("web"));
    start(client, path);
    CHECK(state_of(client, path) == StatePair(1, 1));
    CHECK(contains(xml_of(client, path), "/usr/share/OVMF/"));
}
