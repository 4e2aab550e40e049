// SPDX-License-Identifier: LGPL-2.1-or-later
// What a guest needs beside its command line: limits set over the monitor, processes that play a
// part of its devices. All of it outlives the daemon, and ends with the guest.
#include "libshared/daemon/sockets.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;
using nlohmann::json;

/// A monitor of the guest beside the daemon's, which the document asks QEMU for.
class SecondMonitor {
  public:
    explicit SecondMonitor(const std::string& path) : fd_(connect_unix(path)) {
        REQUIRE(fd_);
        line(); // the greeting
        execute("qmp_capabilities");
    }

    json execute(const std::string& command) {
        const std::string text = json{{"execute", command}}.dump() + "\n";
        REQUIRE(::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        json reply = json::parse(line());
        while (!reply.contains("return")) {
            REQUIRE(!reply.contains("error"));
            reply = json::parse(line()); // events
        }
        return reply["return"];
    }

  private:
    std::string line() {
        while (got_.find('\n') == std::string::npos) {
            pollfd waiting{fd_.get(), POLLIN, 0};
            REQUIRE(::poll(&waiting, 1, static_cast<int>(event_limit / 1ms)) == 1);
            char chunk[4096];
            const ssize_t size = ::read(fd_.get(), chunk, sizeof chunk);
            REQUIRE(size > 0);
            got_.append(chunk, static_cast<std::size_t>(size));
        }
        const auto end = got_.find('\n');
        std::string first = got_.substr(0, end);
        got_.erase(0, end + 1);
        return first;
    }

    Fd fd_;
    std::string got_;
};

std::string
document(const std::string& head, const std::string& devices, const std::string& os = {}) {
    return fmt::format(
        "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
        "<name>set-up</name><memory unit='MiB'>192</memory>{}"
        "<os><type arch='x86_64' machine='q35'>hvm</type>{}</os>"
        "<devices>{}</devices>",
        head,
        os,
        devices);
}

void kill_daemon(const Instance& instance) {
    instance.end("vireo-qemud", SIGKILL);
}

/// The first call after a kill may still reach the daemon that is gone; reads are sent again.
std::int32_t state(Client& client, const ObjectPath& path) {
    return std::get<0>(state_of(client, path));
}

/// Waits for the end of a process that is nobody's child here.
bool ends(pid_t pid) {
    const auto deadline = std::chrono::steady_clock::now() + event_limit;
    const Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!fd) {
        return true;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{fd.get(), POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(left.count())) == 1;
}

bool is_installed(const std::string& program) {
    return std::filesystem::exists("/usr/bin/" + program) ||
           std::filesystem::exists("/usr/lib/qemu/" + program);
}

/// Its program is the one for this processor: passt.avx2.
std::optional<pid_t> passt_of(const Instance& instance) {
    const auto processes = instance.processes();
    const auto found = std::ranges::find_if(
        processes, [](const auto& process) { return process.program.starts_with("passt"); });
    return found == processes.end() ? std::nullopt : std::optional(found->pid);
}

} // namespace

TEST_CASE("the limits of a disk hold from the start, and without a daemon") {
    const Instance instance;
    const std::string root = instance.root();
    for (const char* name : {"a", "b", "c", "d"}) {
        std::ofstream(root + "/" + name).close();
        std::filesystem::resize_file(root + "/" + name, 1 << 20);
    }
    const auto disk = [&](const char* image, const char* target, const char* limits) {
        return fmt::format("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                           "<source file='{}/{}'/><target {}/><iotune>{}</iotune></disk>",
                           root,
                           image,
                           target,
                           limits);
    };
    const std::string monitor = root + "/second.sock";
    const std::string text =
        document(
            "",
            "<controller type='scsi' model='virtio-scsi'/>" +
                disk("a",
                     "dev='vda' bus='virtio'",
                     "<read_iops_sec>100</read_iops_sec><read_iops_sec_max>200"
                     "</read_iops_sec_max><read_iops_sec_max_length>5"
                     "</read_iops_sec_max_length><group_name>shared</group_name>") +
                disk("b", "dev='sda' bus='scsi'", "<total_bytes_sec>1000000</total_bytes_sec>") +
                disk("c", "dev='sdb' bus='usb'", "<write_bytes_sec>5000</write_bytes_sec>") +
                disk("d", "dev='sdc' bus='sata'", "<total_iops_sec>7</total_iops_sec>")) +
        fmt::format("<qemu:commandline><qemu:arg value='-qmp'/><qemu:arg "
                    "value='unix:{},server=on,wait=off'/></qemu:commandline></domain>",
                    monitor);
    Client client = instance.connect();
    const ObjectPath path = define(client, text);
    start(client, path);
    const auto check = [&] {
        SecondMonitor second(monitor);
        std::map<std::string, json> found;
        for (const json& device : second.execute("query-block")) {
            if (device.contains("inserted")) {
                const auto file = device["inserted"]["file"].get<std::string>();
                found[file.substr(file.rfind('/') + 1)] = device["inserted"];
            }
        }
        CHECK(found.at("a").at("iops_rd") == 100);
        CHECK(found.at("a").at("iops_rd_max") == 200);
        CHECK(found.at("a").at("iops_rd_max_length") == 5);
        CHECK(found.at("a").at("group") == "shared");
        CHECK(found.at("b").at("bps") == 1000000);
        CHECK(found.at("c").at("bps_wr") == 5000);
        CHECK(found.at("d").at("iops") == 7);
    };
    check();
    kill_daemon(instance);
    CHECK(state(client, path) == 1);
    check();
    destroy(client, path);
}

TEST_CASE("a guest's TPM is emulated beside it and keeps its keys until it is undefined") {
    if (!is_installed("swtpm")) {
        MESSAGE("skipped: swtpm is not installed");
        return;
    }
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client,
               document("", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>") +
                   "</domain>");
    start(client, path);
    const std::optional<pid_t> emulator = instance.find("swtpm");
    REQUIRE(emulator);
    kill_daemon(instance);
    CHECK(state(client, path) == 1);
    CHECK(instance.find("swtpm") == emulator);
    destroy(client, path);
    CHECK(ends(*emulator));
    const auto has_state = [&] {
        const auto files = instance.files();
        return std::ranges::any_of(files, [](const std::string& f) {
            return contains(f, "swtpm/") && contains(f, "tpm2");
        });
    };
    CHECK(has_state());

    // The same keys for the next start; a document in which it is gone leaves nothing behind.
    start(client, path);
    destroy(client, path);
    client.call(domain_at(path), "Undefine", std::uint32_t{64}); // KEEP_TPM
    CHECK(has_state());
    const ObjectPath again =
        define(client,
               document(
                   "<uuid>" +
                       [&] {
                           std::string uuid = path.substr(path.rfind('/') + 2);
                           std::ranges::replace(uuid, '_', '-');
                           return uuid;
                       }() +
                       "</uuid>",
                   "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>") +
                   "</domain>");
    client.call(domain_at(again), "Undefine", std::uint32_t{0});
    CHECK(!has_state());
}

TEST_CASE("a TPM whose options cannot be had is refused before anything runs") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client,
               document("",
                        "<tpm model='tpm-crb'><backend type='emulator' version='2.0'>"
                        "<active_pcr_banks><sha384/></active_pcr_banks></backend></tpm>") +
                   "</domain>");
    const std::string refusal = message_of([&] { start(client, path); });
    CHECK(contains(refusal, "tpm 'tpm0': <active_pcr_banks> is not supported"));
    CHECK(!instance.find("swtpm"));
    CHECK(state(client, path) == 5);
}

TEST_CASE("a network by passt runs as long as its guest") {
    if (!is_installed("passt")) {
        MESSAGE("skipped: passt is not installed");
        return;
    }
    if (std::system("unshare --user true 2>/dev/null") != 0) {
        MESSAGE("skipped: passt takes a user namespace, which is not to be had here");
        return;
    }
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client,
               document("",
                        "<interface type='user'><backend type='passt'/>"
                        "<mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>") +
                   "</domain>");
    start(client, path);
    const std::optional<pid_t> network = passt_of(instance);
    REQUIRE(network);
    kill_daemon(instance);
    CHECK(state(client, path) == 1);
    CHECK(passt_of(instance) == network);
    destroy(client, path);
    CHECK(ends(*network));
}

TEST_CASE("a network that passt cannot give is refused with its words") {
    if (!is_installed("passt")) {
        MESSAGE("skipped: passt is not installed");
        return;
    }
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path =
        define(client,
               document("",
                        "<interface type='user'><backend type='passt'/>"
                        "<source dev='no-such-device'/><model type='virtio'/></interface>") +
                   "</domain>");
    const std::string refusal = message_of([&] { start(client, path); });
    CHECK_MESSAGE(contains(refusal, "device 'net0': 'passt' ended with exit status"), refusal);
    CHECK(!passt_of(instance));
    CHECK(state(client, path) == 5);
}
