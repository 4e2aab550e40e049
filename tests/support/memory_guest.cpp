// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/memory_guest.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace vireo::test {

using namespace std::chrono_literals;
using bus::ObjectPath;

std::string
virtio_mem_xml(std::uint64_t size_mib, std::uint64_t requested_mib, const std::string& more) {
    return fmt::format("<memory model='virtio-mem'><target><size unit='MiB'>{}</size><node>0</node>"
                       "<block unit='MiB'>2</block><requested unit='MiB'>{}</requested></target>{}"
                       "</memory>",
                       size_mib,
                       requested_mib,
                       more);
}

MemoryGuest::MemoryGuest(const MemoryGuestOptions& options)
    : client_(instance_.connect()),
      path_(client_.call<ObjectPath>(libvirt_connect, "DomainDefineXML", document(options))),
      domain_(libvirt_object(path_, "org.libvirt.Domain")),
      native_{"org.vireo",
              "/org/vireo/domain/" + path_.substr(path_.rfind('/') + 1),
              "org.vireo.Domain1"},
      memory_(memory("virtiomem0")) {
    client_.call(domain_, "Create", std::uint32_t{0});
    if (options.linux) {
        console_.emplace(serial());
        console_->await("Hello from your guest", boot_limit);
    }
}

Target MemoryGuest::memory(const std::string& alias) const {
    return {"org.vireo", native_.path + "/memory/" + alias, "org.vireo.MemoryDevice1"};
}

std::string MemoryGuest::xml(std::uint32_t flags) {
    return client_.call<std::string>(domain_, "GetXMLDesc", flags);
}

std::uint64_t MemoryGuest::current() {
    return client_.get<std::uint64_t>(memory_, "Current");
}

void MemoryGuest::request(std::uint64_t requested_mib) {
    const bus::Message call = client_.new_call(
        Target{"org.vireo", memory_.path, "org.freedesktop.DBus.Properties"}, "Set");
    bus::append(call.get(), std::string("org.vireo.MemoryDevice1"));
    bus::append(call.get(), std::string("Requested"));
    bus::append(call.get(), bus::Variant(requested_mib * mib));
    client_.send(call);
}

std::uint64_t MemoryGuest::wait(std::uint64_t limit_usec) {
    const bus::Message call = client_.new_call(memory_, "WaitForRequested");
    bus::append(call.get(), limit_usec);
    sd_bus_message* reply = nullptr;
    sd_bus_error error{};
    const int result = sd_bus_call(client_.get(), call.get(), 2 * guest_limit_usec, &error, &reply);
    if (result < 0) {
        const CallError failure(error.name, error.message);
        sd_bus_error_free(&error);
        throw failure;
    }
    return bus::read<std::uint64_t>(bus::Message(reply).get());
}

std::uint64_t MemoryGuest::guest_kib() {
    return std::stoull(console_->run("sed -n 's/^MemTotal: *//p' /proc/meminfo", guest_limit));
}

std::uint64_t MemoryGuest::await_guest_kib(const std::function<bool(std::uint64_t)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + guest_limit;
    std::uint64_t now = guest_kib();
    while (!wanted(now)) {
        if (std::chrono::steady_clock::now() >= deadline) {
            throw std::runtime_error(fmt::format("the guest still has {} KiB", now));
        }
        now = guest_kib();
    }
    return now;
}

Watch MemoryGuest::watch_properties() {
    return client_.watch(Target{"org.vireo", memory_.path, "org.freedesktop.DBus.Properties"},
                         "PropertiesChanged");
}

std::string MemoryGuest::message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const CallError& e) {
        return e.what();
    }
    return "no error";
}

std::string MemoryGuest::document(const MemoryGuestOptions& options) const {
    const GuestFiles files = options.linux ? guest_files() : GuestFiles{};
    // An emulated timer may be too slow for the kernel's test of it on a loaded machine.
    const std::string boot =
        options.linux ? fmt::format("<kernel>{}</kernel><initrd>{}</initrd><cmdline>console=ttyS0 "
                                    "quiet no_timer_check memhp_default_state={}</cmdline>",
                                    files.kernel,
                                    files.initrd,
                                    options.online)
                      : "";
    return fmt::format(
        "<domain type='qemu'><name>elastic</name><maxMemory slots='4' unit='GiB'>2</maxMemory>"
        "<memory unit='MiB'>{}</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type>{}</os><features><acpi/></features>"
        "<cpu><numa><cell id='0' cpus='0' memory='192' unit='MiB'/></numa></cpu><devices>"
        "<serial type='unix'><source mode='bind' path='{}'/></serial>{}</devices></domain>",
        192 + options.size_mib,
        boot,
        serial(),
        virtio_mem_xml(options.size_mib, 0));
}

void await_property(Watch& changes, const char* property, std::uint64_t value) {
    using Properties = std::map<std::string, bus::Variant>;
    const auto has = [&](const auto& arguments) {
        const Properties& changed = std::get<1>(arguments);
        const auto found = changed.find(property);
        return found != changed.end() && found->second == bus::Variant(value);
    };
    changes.next_where<std::string, Properties, std::vector<std::string>>(has, guest_limit);
}

} // namespace vireo::test
