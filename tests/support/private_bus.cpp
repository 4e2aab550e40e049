// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/private_bus.hpp"

#include "libshared/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace vireo::test {

using namespace std::chrono_literals;

namespace {

/// The limits are dbus-daemon's own for a session bus (its session.conf).
constexpr const char* configuration = R"(<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_replies_per_connection">50000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
</busconfig>
)";

constexpr const char* activation = R"([D-BUS Service]
Name={name}
Exec="{program}" --root "{root}"
)";

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out(path);
    out << text;
    out.close();
    if (!out) {
        throw Error(ErrorCode::write_failed, "'{}'", path.string());
    }
}

/// The line that the bus prints once it listens; empty when it ended instead.
std::string first_line(int fd) {
    std::string line;
    char letter = 0;
    while (wait_readable(fd, 10s) && read(fd, &letter, 1) == 1 && letter != '\n') {
        line.push_back(letter);
    }
    return line;
}

} // namespace

PrivateBus::PrivateBus(const BusPlaces& places) {
    const auto services = places.folder / "services";
    std::filesystem::create_directories(services);
    for (const std::string name : {"org.libvirt", "org.vireo"}) {
        const std::string program = places.daemons / "vireo-proxyd";
        write_file(services / (name + ".service"),
                   fmt::format(activation,
                               fmt::arg("name", name),
                               fmt::arg("program", program),
                               fmt::arg("root", places.root.string())));
    }
    const std::string config = places.folder / "bus.conf";
    write_file(config, fmt::format(configuration, fmt::arg("folder", places.folder.string())));

    int ends[2];
    check_errno(pipe2(ends, O_CLOEXEC), "create a pipe");
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const Fd log(open(places.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    check_errno(log.get(), fmt::format("create '{}'", places.log.string()));
    daemon_.emplace(Command{.words = {"dbus-daemon",
                                      "--config-file=" + config,
                                      "--nofork",
                                      "--nopidfile",
                                      "--print-address=1"},
                            .environment = {},
                            .output = writer.get(),
                            .errors = log.get()});
    writer.reset();
    address_ = first_line(reader.get());
    if (address_.empty()) {
        throw Error(ErrorCode::operation_failed,
                    "the message bus did not start: {}",
                    std::string(std::istreambuf_iterator(std::ifstream(places.log).rdbuf()), {}));
    }
}

} // namespace vireo::test
