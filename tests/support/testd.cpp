// SPDX-License-Identifier: LGPL-2.1-or-later
// A daemon for tests of what all daemons share: one object, whose calls wait or fail on demand.
#include "libshared/async/loop.hpp"
#include "libshared/bus/vtable.hpp"
#include "libshared/daemon/run.hpp"
#include "libshared/error.hpp"

#include <cstdlib>

namespace {

using namespace vireo;

class TestInterface : public std::enable_shared_from_this<TestInterface> {
  public:
    explicit TestInterface(Context& ctx) : ctx_(ctx) {}

    Scope& tasks() { return ctx_.tasks; }

    std::string echo(const std::string& text) { return text; }

    Task<void> wait() { co_await Sleep(ctx_.loop, std::chrono::hours(1)); }

    /// As much as no socket holds, so that it stays in the daemon where nobody reads.
    std::vector<std::uint8_t> much() { return std::vector<std::uint8_t>(16 << 20); }

  private:
    Context& ctx_;
};

constexpr sd_bus_vtable vtable[] = {
    bus::start(),
    bus::method<&TestInterface::echo, "text", "same">("Echo"),
    bus::method<&TestInterface::wait>("Wait"),
    bus::method<&TestInterface::much, "bytes">("Much"),
    bus::end(),
};

/// A task of the service that looks at it when it is cancelled.
struct Uses {
    const std::string& text;

    explicit Uses(const std::string& t) : text(t) {}

    Uses(const Uses&) = delete;

    ~Uses() {
        if (text.empty()) {
            std::abort();
        }
    }
};

class TestService : public Service {
  public:
    explicit TestService(Context& ctx) {
        if (std::getenv("TESTD_FAILS") != nullptr) {
            throw Error(ErrorCode::invalid_arg, "the service's own failure");
        }
        ctx.objects.add_object(
            "/org/vireo/test", "org.vireo.Test1", vtable, std::make_shared<TestInterface>(ctx));
        if (std::getenv("TESTD_TASK") != nullptr) {
            ctx.tasks.spawn(use(ctx.loop), "use");
        }
    }

    bool idle() const override { return true; }

  private:
    Task<void> use(Loop& loop) {
        const Uses uses(text_);
        co_await Sleep(loop, std::chrono::hours(1));
    }

    std::string text_ = "a text that is too long for a string's own room";
};

} // namespace

int main(int argc, char** argv) {
    const DaemonInfo info{.name = "vireo-testd", .socket = "testd.sock"};
    return run_daemon(info, argc, argv, [](Context& ctx) -> std::unique_ptr<Service> {
        return std::make_unique<TestService>(ctx);
    });
}
