// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/run.hpp"

#include "libshared/bus/vtable.hpp"
#include "libshared/daemon/peers.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"

#include <systemd/sd-daemon.h>

#include <sys/stat.h>

#include <csignal>

namespace vireo {

namespace {

constexpr const char* driver_path = "/org/vireo/Driver";
constexpr const char* driver_interface = "org.vireo.Driver1";

/// What the proxy and a driver say to each other; served on the driver's socket only.
class DriverInterface : public std::enable_shared_from_this<DriverInterface> {
  public:
    explicit DriverInterface(Clients& clients) : clients_(clients) {}

    void client_left(const std::string& name) { clients_.name_left(name); }

  private:
    Clients& clients_;
};

constexpr sd_bus_vtable driver_vtable[] = {
    bus::start(),
    bus::method<&DriverInterface::client_left, "name">("ClientLeft", SD_BUS_VTABLE_METHOD_NO_REPLY),
    bus::signal<"name">::of<std::string>("WatchClient"),
    bus::signal<>::of<>("Idle"),
    bus::end(),
};

void block_signals() {
    signal(SIGPIPE, SIG_IGN);
    sigset_t handled;
    sigemptyset(&handled);
    for (const int number : {SIGTERM, SIGINT, SIGCHLD}) {
        sigaddset(&handled, number);
    }
    check_errno(sigprocmask(SIG_BLOCK, &handled, nullptr), "block the signals");
}

/// One daemon from the loop's creation to its end; members die in reverse order.
class Daemon {
  public:
    Daemon(const DaemonInfo& info, Options options)
        : info_(info),
          options_(std::move(options)),
          tasks_(loop_),
          clients_([this](const std::string& name) {
              objects_.emit(driver_path, driver_interface, "WatchClient", name);
          }),
          context_{loop_, tasks_, options_, objects_, clients_},
          driver_(std::make_shared<DriverInterface>(clients_)),
          peers_(
              loop_, objects_, clients_, [this] { active(); }, [this] { consider_leaving(); }) {}

    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Also after a start that failed: tasks before what they use, replies before their
    /// connections, connections before what they serve.
    ~Daemon() {
        tasks_.close();
        peers_.close();
        objects_.clear();
        service_.reset();
    }

    int run(const MakeService& make) {
        for (const int number : {SIGTERM, SIGINT}) {
            check(sd_event_add_signal(loop_.get(), nullptr, number, nullptr, nullptr),
                  "handle a signal");
        }
        check(sd_event_set_watchdog(loop_.get(), 1), "start the watchdog");
        make_folders(options_.directories.runtime);
        if (!info_.socket.empty()) { // one that only has bus names is kept single by those
            lock_ = lock_instance(options_.directories.runtime + "/" +
                                  info_.name.substr(info_.name.find('-') + 1) + ".pid");
        }
        service_ = make(context_);
        if (!info_.socket.empty()) {
            objects_.add_object(driver_path, driver_interface, driver_vtable, driver_);
            peers_.listen(take_listening_socket(info_.socket,
                                                options_.directories.runtime + "/" + info_.socket));
        }
        tasks_.on_empty([this] { active(); });
        active();
        watch_idle();
        sd_notify(0, "READY=1");
        service_->started();
        const int status = loop_.run();
        sd_notify(0, "STOPPING=1");
        return status;
    }

  private:
    void active() {
        active_at_ = loop_.now();
        leaving_ = false;
    }

    bool idle() const { return tasks_.running() == 0 && service_->idle(); }

    /// One timer for as long as the daemon is idle: it fires when the time-out could have passed.
    void watch_idle() {
        if (options_.idle_timeout.count() == 0) {
            return;
        }
        sd_event_source* source = nullptr;
        const auto due = active_at_ + options_.idle_timeout;
        check(sd_event_add_time(loop_.get(),
                                &source,
                                CLOCK_MONOTONIC,
                                static_cast<uint64_t>(due.count()),
                                0,
                                &on_timer,
                                this),
              "add a timer");
        timer_.reset(source);
    }

    static int on_timer(sd_event_source*, uint64_t, void* context) noexcept {
        auto& self = *static_cast<Daemon*>(context);
        try {
            if (!self.idle()) {
                self.active();
            } else if (self.loop_.now() - self.active_at_ >= self.options_.idle_timeout) {
                self.leaving_ = true;
                if (self.peers_.empty()) {
                    self.consider_leaving();
                } else {
                    // A proxy with no call under way closes the connection then. What it sent
                    // before is still served, so no call is lost.
                    self.objects_.emit(driver_path, driver_interface, "Idle");
                }
                self.active_at_ = self.loop_.now(); // asked again after another time-out
            }
            self.watch_idle();
        } catch (const std::exception& e) {
            log::error("idle timer: {}", e.what());
        }
        return 0;
    }

    void consider_leaving() {
        if (leaving_ && peers_.empty() && !peers_.waiting() && idle() && service_->leave()) {
            log::debug("idle: leaving");
            loop_.exit(0);
        }
    }

    const DaemonInfo& info_;
    const Options options_;
    Loop loop_;
    Fd lock_;
    bus::ObjectTree objects_;
    Scope tasks_;
    Clients clients_;
    Context context_;
    std::unique_ptr<Service> service_;
    std::shared_ptr<DriverInterface> driver_;
    Peers peers_;
    Source timer_;
    std::chrono::microseconds active_at_{};
    bool leaving_ = false;
};

} // namespace

int run_daemon(const DaemonInfo& info, int argc, char** argv, const MakeService& make) noexcept {
    int failure = 2; // wrong arguments, until they are read
    try {
        log::configure(info.name, log::Level::info);
        auto options = parse_options(info.name, argc, argv);
        if (!options) {
            return 0;
        }
        failure = 1;
        log::configure(info.name, options->log_level);
        umask(0077);
        block_signals();
        Daemon daemon(info, std::move(*options));
        return daemon.run(make);
    } catch (const Error& e) {
        log::error("{}", e.phrased());
    } catch (const std::exception& e) {
        log::error("{}", e.what());
    } catch (...) {
        log::error("unknown exception");
    }
    return failure;
}

} // namespace vireo
