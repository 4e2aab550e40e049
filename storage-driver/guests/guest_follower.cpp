// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/guests/guest_follower.hpp"

#include "libshared/bus/call.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/log.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace vireo::storage {

using namespace std::chrono_literals;

namespace {

constexpr const char* qemud_connect_path = "/org/libvirt/QEMU";
constexpr const char* qemud_connect_interface = "org.libvirt.Connect";
constexpr const char* qemud_domain_interface = "org.vireo.Domain1";
constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";
constexpr std::string_view domain_folder = "/org/vireo/domain/";
constexpr uint32_t active_domains = 1; // VIR_CONNECT_LIST_DOMAINS_ACTIVE
constexpr std::chrono::microseconds list_limit = 25s;
constexpr std::chrono::microseconds first_retry = 50ms;
constexpr unsigned most_doublings = 10;

/// Of a domain itself, not of what is below it.
bool is_domain(std::string_view path) {
    return path.starts_with(domain_folder) &&
           path.find('/', domain_folder.size()) == std::string_view::npos;
}

std::string native_path_of(const bus::ObjectPath& libvirt_path) {
    return std::string(domain_folder) + libvirt_path.substr(libvirt_path.rfind('/') + 1);
}

} // namespace

std::string_view name_of(GuestKnowledge knowledge) {
    constexpr std::array<std::string_view, 3> names{"known", "stale", "unknown"};
    return names[static_cast<size_t>(knowledge)];
}

GuestFollower::GuestFollower(Loop& loop, std::string runtime, std::function<void()> changed)
    : loop_(loop),
      runtime_(std::move(runtime)),
      changed_(std::move(changed)),
      client_(loop,
              runtime_ + "/qemud.sock",
              {.signal = [this](sd_bus_message* signal) { take_signal(signal); },
               .idle =
                   [this] {
                       if (guests_.empty() && tasks_.running() == 0 && uses_ == 0) {
                           client_.close();
                       }
                   },
               .ended = [this] { ended(); }}),
      tasks_(loop) {}

GuestFollower::~GuestFollower() {
    tasks_.close();
}

bool GuestFollower::qemud_runs() const {
    return instance_runs(runtime_ + "/qemud.pid");
}

void GuestFollower::start() {
    sd_event_source* source = nullptr;
    check(sd_event_add_inotify(loop_.get(),
                               &source,
                               runtime_.c_str(),
                               IN_MODIFY | IN_CREATE | IN_MOVED_TO,
                               &on_lock,
                               this),
          "watch the runtime directory");
    watch_.reset(source);
    if (qemud_runs()) {
        connect();
    } else if (::access((runtime_ + "/qemud.pid").c_str(), F_OK) != 0) {
        knowledge_ = GuestKnowledge::known; // none has run since the host booted
    }
}

void GuestFollower::wake() {
    if (!client_.connected() && knowledge_ != GuestKnowledge::known && !retry_) {
        connect();
    }
}

int GuestFollower::on_lock(sd_event_source*, const inotify_event* event, void* context) noexcept {
    auto& self = *static_cast<GuestFollower*>(context);
    const std::string_view name = event->len == 0 ? "" : event->name;
    if ((name == "qemud.pid" || name == "qemud.sock") && !self.client_.connected() &&
        self.qemud_runs()) {
        self.failures_ = 0;
        self.connect();
    }
    return 0;
}

void GuestFollower::connect() {
    retry_.reset();
    if (client_.connected() && uses_ > 0) {
        return retry_later(); // who has a call open would wait for ever
    }
    tasks_.cancel();
    try {
        if (client_.connect()) {
            listing_ = true;
            listed_.clear();
            fetching_.clear();
            tasks_.spawn(list(), "list the guests");
            return;
        }
    } catch (const Error& e) {
        log::warning("qemud: {}", e.what());
    }
    // It has its lock before it listens; where it does not run at all, its lock will tell.
    if (qemud_runs()) {
        retry_later();
    }
}

void GuestFollower::retry_later() {
    sd_event_source* source = nullptr;
    const auto delay = first_retry * (1U << std::min(failures_++, most_doublings));
    if (sd_event_add_time_relative(
            loop_.get(), &source, CLOCK_MONOTONIC, to_usec(delay), 1, &on_retry, this) >= 0) {
        retry_.reset(source);
    }
}

int GuestFollower::on_retry(sd_event_source*, uint64_t, void* context) noexcept {
    static_cast<GuestFollower*>(context)->connect();
    return 0;
}

void GuestFollower::ended() {
    tasks_.cancel();
    listing_ = false;
    if (knowledge_ == GuestKnowledge::known) {
        knowledge_ = GuestKnowledge::stale;
        log::warning("qemud ended unexpectedly: what guests were promised is what it told last");
        tell();
    }
    retry_later();
}

Task<void> GuestFollower::list() {
    try {
        auto question = bus::new_call(client_.connection(),
                                      "",
                                      qemud_connect_path,
                                      qemud_connect_interface,
                                      "ListDomains",
                                      active_domains);
        auto asking = bus::Call(client_.connection(), std::move(question), list_limit);
        const bus::Message reply = co_await asking;
        for (const auto& path : bus::read<std::vector<bus::ObjectPath>>(reply.get())) {
            const std::string native = native_path_of(path);
            if (fetching_.insert(native).second) {
                tasks_.spawn(fetch(native), "read a guest");
            }
        }
    } catch (const Error& e) {
        log::warning("the guests that run are not known: {}", e.what());
        retry_later();
        co_return;
    }
    fetched();
}

Task<void> GuestFollower::fetch(std::string path) {
    FollowedGuest guest;
    bool there = false;
    try {
        auto question = bus::new_call(client_.connection(),
                                      "",
                                      path,
                                      properties_interface,
                                      "GetAll",
                                      std::string(qemud_domain_interface));
        auto asking = bus::Call(client_.connection(), std::move(question), list_limit);
        const bus::Message reply = co_await asking;
        take_properties(reply.get(), guest);
        there = !guest.promises.empty();
    } catch (const Error& e) {
        log::debug("'{}' is not there any more: {}", path, e.what());
    }
    fetching_.erase(path);
    FollowedGuests& into = listing_ ? listed_ : guests_;
    if (there) {
        into.insert_or_assign(path, std::move(guest));
    } else {
        into.erase(path);
    }
    fetched();
}

/// qemud answers and signals in order: what came by now is all that there is.
void GuestFollower::fetched() {
    if (listing_) {
        if (!fetching_.empty()) {
            return;
        }
        listing_ = false;
        failures_ = 0;
        guests_ = std::exchange(listed_, {});
        knowledge_ = GuestKnowledge::known;
        log::debug("qemud tells of {} guests", guests_.size());
    }
    tell();
}

void GuestFollower::take_signal(sd_bus_message* signal) {
    const char* path = sd_bus_message_get_path(signal);
    if (path == nullptr || !is_domain(path) ||
        sd_bus_message_is_signal(signal, properties_interface, "PropertiesChanged") <= 0 ||
        bus::read<std::string>(signal) != qemud_domain_interface) {
        return;
    }
    take_changes(path, signal);
}

void GuestFollower::take_changes(const std::string& path, sd_bus_message* signal) {
    FollowedGuests& into = listing_ ? listed_ : guests_;
    const auto known = into.find(path);
    if (known == into.end()) {
        FollowedGuest part;
        take_properties(signal, part);
        // What is read now is newer than this signal. One whose reading is under way is read again
        // by that: its answer follows.
        if (!part.promises.empty() && fetching_.insert(path).second) {
            tasks_.spawn(fetch(path), "read a guest");
        }
        return;
    }
    take_properties(signal, known->second);
    if (known->second.promises.empty()) {
        into.erase(known);
    }
    if (!listing_) {
        tell();
    }
}

/// Once for all that an iteration of the loop brings.
void GuestFollower::tell() {
    sd_event_source* source = nullptr;
    if (!telling_ && sd_event_add_defer(loop_.get(), &source, &on_tell, this) >= 0) {
        telling_.reset(source);
    }
}

int GuestFollower::on_tell(sd_event_source*, void* context) noexcept {
    auto& self = *static_cast<GuestFollower*>(context);
    self.telling_.reset();
    try {
        self.changed_();
    } catch (const std::exception& e) {
        log::error("guests have changed: {}", e.what());
    }
    return 0;
}

} // namespace vireo::storage
