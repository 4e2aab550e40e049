// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/benchmark/subject.hpp"

#include "tests/support/paths.hpp"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

namespace vireo::benchmark {

using namespace std::chrono_literals;

namespace {

constexpr const char* bridge = "/usr/sbin/libvirt-dbus";
constexpr const char* daemon = "/usr/sbin/libvirtd";

double field_of(pid_t pid, const std::string& field) {
    std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
    for (std::string line; std::getline(rollup, line);) {
        if (line.starts_with(field + ":")) {
            return std::stod(line.substr(field.size() + 1)) / 1024;
        }
    }
    return 0;
}

} // namespace

std::string domain_xml(const std::string& name) {
    return fmt::format(R"(<domain type='qemu'>
  <name>{}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <serial type='null'/>
    <video><model type='none'/></video>
    <memballoon model='virtio'/>
  </devices>
</domain>)",
                       name);
}

std::unique_ptr<Subject> Subject::vireo() {
    std::unique_ptr<Subject> subject(new Subject);
    subject->instance_ = std::make_unique<test::Instance>();
    subject->runtime_ = std::make_unique<test::TemporaryFolder>("/dev/shm");
    std::filesystem::create_directory_symlink(subject->runtime_->path(), subject->root() / "run");
    subject->client_.emplace(subject->instance_->connect());
    return subject;
}

std::unique_ptr<Subject> Subject::libvirt() {
    if (!std::filesystem::exists(bridge) || !std::filesystem::exists(daemon)) {
        return nullptr;
    }
    std::unique_ptr<Subject> subject(new Subject);
    subject->programs_ = std::make_unique<test::TemporaryFolder>();
    std::filesystem::create_symlink(test::source_dir() / "tests/benchmark/libvirt_service.sh",
                                    subject->programs_->path() / "vireo-proxyd");
    subject->instance_ = std::make_unique<test::Instance>(
        test::InstanceOptions{.daemons = subject->programs_->path()});
    subject->client_.emplace(subject->instance_->connect());
    return subject;
}

std::vector<test::Process> Subject::daemons() const {
    std::vector<test::Process> found = instance_->processes();
    std::erase_if(found, [](const test::Process& process) {
        return process.program.starts_with("qemu-system");
    });
    return found;
}

void Subject::end_daemons() {
    std::set<std::string> programs;
    for (const test::Process& process : daemons()) {
        programs.insert(process.program);
    }
    for (const std::string& program : programs) {
        instance_->end(program, SIGTERM);
    }
}

Memory Subject::memory() const {
    Memory sum;
    for (const test::Process& process : daemons()) {
        sum.pss += field_of(process.pid, "Pss");
        sum.anonymous += field_of(process.pid, "Anonymous");
    }
    return sum;
}

bus::ObjectPath Subject::define(const std::string& name) {
    return client().call<bus::ObjectPath>(
        test::libvirt_connect, "DomainDefineXML", domain_xml(name));
}

std::vector<bus::ObjectPath> Subject::list() {
    return client().call<std::vector<bus::ObjectPath>>(
        test::libvirt_connect, "ListDomains", std::uint32_t{0});
}

} // namespace vireo::benchmark
