// SPDX-License-Identifier: LGPL-2.1-or-later
// A driver that does what a test asks for: it hangs, dies, fails, echoes. Its file name decides
// which driver it stands in for (`vireo-qemud`).
#include "libshared/async/promised.hpp"
#include "libshared/bus/vtable.hpp"
#include "libshared/daemon/run.hpp"
#include "libshared/error.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace {

using namespace vireo;

constexpr const char* domain_prefix = "/org/libvirt/QEMU/domain";

/// What can be asked for directly, on the driver's socket.
class Fake : public std::enable_shared_from_this<Fake> {
  public:
    explicit Fake(Context& ctx) : ctx_(ctx), released_(ctx.loop) {}

    Scope& tasks() { return ctx_.tasks; }

    bus::UnixFd exchange(const bus::UnixFd& fd) { return fd; }

    std::vector<uint8_t> echo(const std::vector<uint8_t>& data) { return data; }

    std::string caller(bus::Caller who) { return who.name; }

    void fail() { throw Error(ErrorCode::no_domain, "asked to fail"); }

    void die() { _exit(9); }

    Task<void> hang() { co_await released_.next(); }

    void release() { released_.notify(); }

    void note() { ++notes_; }

    uint32_t notes() { return notes_; }

    void tell(const std::string& text) {
        ctx_.objects.emit("/org/vireo/Fake", "org.vireo.Fake1", "Told", text);
    }

  private:
    Context& ctx_;
    Condition released_;
    uint32_t notes_ = 0;
};

constexpr sd_bus_vtable fake_vtable[] = {
    bus::start(),
    bus::method<&Fake::exchange, "fd", "same">("Exchange"),
    bus::method<&Fake::echo, "data", "same">("Echo"),
    bus::method<&Fake::caller, "name">("Caller"),
    bus::method<&Fake::fail>("Fail"),
    bus::method<&Fake::die>("Die"),
    bus::method<&Fake::hang>("Hang"),
    bus::method<&Fake::release>("Release"),
    bus::method<&Fake::note>("Note"),
    bus::method<&Fake::notes, "count">("Notes"),
    bus::method<&Fake::tell, "text">("Tell"),
    bus::signal<"text">::of<std::string>("Told"),
    bus::end(),
};

/// A few members of the contract, each of which has its own use here.
class Connect : public std::enable_shared_from_this<Connect> {
  public:
    explicit Connect(Context& ctx) : ctx_(ctx), released_(ctx.loop) {}

    Scope& tasks() { return ctx_.tasks; }

    std::string hostname() const { return "fake"; }

    std::string get_sysinfo(bus::Caller who, uint32_t) { return who.name; }

    std::string get_capabilities() { return std::to_string(getpid()); }

    bus::ObjectPath lookup(const std::string& name) {
        throw Error(ErrorCode::no_domain, "no domain with matching name '{}'", name);
    }

    /// Signals come before the reply.
    bus::ObjectPath define(const std::string& xml) {
        const bus::ObjectPath path(fmt::format("{}/_{}", domain_prefix, xml.size()));
        ctx_.objects.emit("/org/libvirt/QEMU",
                          "org.libvirt.Connect",
                          "DomainEvent",
                          path,
                          int32_t{0},
                          int32_t{1});
        ctx_.objects.emit("/org/vireo/Fake", "org.vireo.Fake1", "Told", std::string("private"));
        return path;
    }

    /// Flag 2 watches the caller, as AUTODESTROY does; any other number ends the driver.
    bus::ObjectPath create(bus::Caller who, const std::string& xml, uint32_t flags) {
        if (flags != 2) {
            _exit(9);
        }
        const bus::ObjectPath path(std::string(domain_prefix) + "/_" + xml);
        watches_.push_back(ctx_.clients.watch(who, [this, path] {
            ctx_.objects.emit("/org/libvirt/QEMU",
                              "org.libvirt.Connect",
                              "DomainEvent",
                              path,
                              int32_t{5},
                              int32_t{1});
        }));
        return path;
    }

    /// Waits for ever.
    Task<std::vector<std::string>> get_cpu_model_names(std::string, uint32_t) {
        co_await released_.next();
        co_return std::vector<std::string>();
    }

    bus::ObjectPath node_device(const std::string& name) {
        return bus::ObjectPath("/org/libvirt/QEMU/nodedev/" + name);
    }

  private:
    Context& ctx_;
    Condition released_;
    std::vector<std::unique_ptr<Clients::Watch>> watches_;
};

constexpr sd_bus_vtable connect_vtable[] = {
    bus::start(),
    bus::property<&Connect::hostname>("Hostname"),
    bus::method<&Connect::get_sysinfo, "flags", "sysinfo">("GetSysinfo"),
    bus::method<&Connect::get_capabilities, "capabilities">("GetCapabilities"),
    bus::method<&Connect::lookup, "name", "domain">("DomainLookupByName"),
    bus::method<&Connect::define, "xml", "domain">("DomainDefineXML"),
    bus::method<&Connect::create, "xml", "flags", "domain">("DomainCreateXML"),
    bus::method<&Connect::get_cpu_model_names, "arch", "flags", "models">("GetCPUModelNames"),
    bus::method<&Connect::node_device, "name", "dev">("NodeDeviceLookupByName"),
    bus::signal<"domain", "event", "detail">::of<bus::ObjectPath, int32_t, int32_t>("DomainEvent"),
    bus::end(),
};

class Domain : public std::enable_shared_from_this<Domain> {
  public:
    explicit Domain(Context& ctx) : ctx_(ctx) {}

    Scope& tasks() { return ctx_.tasks; }

    std::tuple<int32_t, int32_t> get_state(uint32_t) { return {1, 1}; }

    std::string get_xml_desc(uint32_t flags) { return std::to_string(flags); }

    bool autostart() const { return autostart_; }

    void set_autostart(bool on) { autostart_ = on; }

  private:
    Context& ctx_;
    bool autostart_ = false;
};

constexpr sd_bus_vtable domain_vtable[] = {
    bus::start(),
    bus::method<&Domain::get_state, "flags", "state">("GetState"),
    bus::method<&Domain::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::writable<&Domain::autostart, &Domain::set_autostart>("Autostart"),
    bus::end(),
};

class FakeService final : public Service {
  public:
    explicit FakeService(Context& ctx) {
        auto domain = std::make_shared<Domain>(ctx);
        ctx.objects.add_object(
            "/org/vireo/Fake", "org.vireo.Fake1", fake_vtable, std::make_shared<Fake>(ctx));
        ctx.objects.add_object("/org/libvirt/QEMU",
                               "org.libvirt.Connect",
                               connect_vtable,
                               std::make_shared<Connect>(ctx));
        ctx.objects.add_collection<Domain>(domain_prefix,
                                           "org.libvirt.Domain",
                                           domain_vtable,
                                           [domain](std::string_view) { return domain; });
    }

    bool idle() const override { return true; }
};

} // namespace

int main(int argc, char** argv) {
    const std::string name = std::filesystem::path(argv[0]).filename();
    if (const char* const status = std::getenv("VIREO_FAKE_EXIT")) {
        return std::atoi(status);
    }
    const DaemonInfo info{.name = name, .socket = name.substr(name.find('-') + 1) + ".sock"};
    return run_daemon(
        info, argc, argv, [](Context& ctx) { return std::make_unique<FakeService>(ctx); });
}
