// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/service.hpp"

#include "libshared/bus/call.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "proxy/body.hpp"
#include "proxy/introspection.hpp"
#include "proxy/listeners.hpp"
#include "proxy/places.hpp"

#include <sys/inotify.h>

#include <chrono>
#include <cstdlib>

namespace vireo::proxy {

using namespace std::chrono_literals;

namespace {

constexpr const char* names[] = {"org.libvirt", "org.vireo"};
constexpr const char* bus_name = "org.freedesktop.DBus";
constexpr const char* bus_path = "/org/freedesktop/DBus";
constexpr const char* departures =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
    "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";
constexpr std::chrono::microseconds bus_limit = 25s;
constexpr std::chrono::microseconds start_limit = 10s;
constexpr uint32_t do_not_queue = 4;  // flag of RequestName
constexpr uint32_t primary_owner = 1; // its result

std::string_view text(const char* from_message) {
    return from_message ? from_message : "";
}

bus::Bus connect_to_bus(bool session) {
    sd_bus* made = nullptr;
    if (const char* const starter = std::getenv("DBUS_STARTER_ADDRESS")) {
        check(sd_bus_new(&made), "create a connection");
        bus::Bus connection(made);
        check(sd_bus_set_address(made, starter), "read $DBUS_STARTER_ADDRESS");
        check(sd_bus_set_bus_client(made, 1), "set up a connection");
        check(sd_bus_negotiate_fds(made, 1), "set up a connection");
        check(sd_bus_start(made), "connect to the bus that started this daemon");
        return connection;
    }
    if (session) {
        check(sd_bus_open_user(&made), "connect to the session bus");
    } else {
        check(sd_bus_open_system(&made), "connect to the system bus");
    }
    return bus::Bus(made);
}

bus::Message bus_call(sd_bus* connection, const char* member) {
    return bus::new_call(connection, bus_name, bus_path, bus_name, member);
}

/// Bit 0 of the last argument, flags. The body has the contract's signature.
bool asks_for_secrets(sd_bus_message* call, std::string_view signature) {
    const std::string before(signature.substr(0, signature.size() - 1));
    if (!before.empty()) {
        check(sd_bus_message_skip(call, before.c_str()), "read the arguments");
    }
    uint32_t flags = 0;
    check(sd_bus_message_read(call, "u", &flags), "read the flags");
    return (flags & 1U) != 0;
}

/// The type of the elements of the array that a merged answer is.
std::string element_of(const CallHeader& header) {
    return header.member == "GetManagedObjects" ? "{oa{sa{sv}}}" : "{sv}";
}

} // namespace

ProxyService::ProxyService(Context& ctx)
    : ctx_(ctx),
      own_tasks_(ctx.loop),
      connection_(connect_to_bus(ctx.options.session)),
      callers_(own_tasks_,
               connection_.get(),
               current_policy(ctx.options.session),
               {.again = [this](bus::Message call) { take_call(std::move(call)); },
                .find_group = &find_group}) {
    const std::string programs = program_folder();
    for (const std::string_view driver : drivers_of_contract()) {
        DriverLink::Events events{
            .signal =
                [this, driver](sd_bus_message* signal) {
                    if (passes_signal(driver,
                                      text(sd_bus_message_get_path(signal)),
                                      text(sd_bus_message_get_interface(signal)),
                                      text(sd_bus_message_get_member(signal)))) {
                        // It has no sender yet: the bus fills in ours.
                        check(sd_bus_send(connection_.get(), signal, nullptr), "send a signal");
                    }
                },
            .watch =
                [this, driver](const std::string& client) {
                    if (!callers_.present(client)) { // it may have called a former proxy
                        own_tasks_.spawn(look_for(client, std::string(driver)),
                                         "look for a client");
                    }
                }};
        links_.emplace(driver,
                       std::make_unique<DriverLink>(ctx.loop,
                                                    own_tasks_,
                                                    places_of(driver, ctx.options, programs),
                                                    start_limit,
                                                    std::move(events)));
    }
}

ProxyService::~ProxyService() {
    own_tasks_.cancel();
    sd_bus_flush(connection_.get());
}

void ProxyService::started() {
    sd_bus* const connection = connection_.get();
    sd_bus_slot* slot = nullptr;
    check(sd_bus_set_exit_on_disconnect(connection, 1), "watch the bus");
    check(sd_bus_add_filter(connection, &slot, &on_message, this), "watch the bus");
    filter_.reset(slot);
    check(sd_bus_add_match_async(connection, &slot, departures, &on_client_left, nullptr, this),
          "watch the bus's clients");
    left_match_.reset(slot);
    check(sd_bus_attach_event(connection, ctx_.loop.get(), SD_EVENT_PRIORITY_NORMAL),
          "attach the bus");
    watch_locks();
    const std::string sockets = read_file(socket_table);
    for (const auto& [driver, link] : links_) {
        try {
            link->listen_if_nobody_does(sockets);
        } catch (const Error& e) {
            log::error("{}: {}", link->daemon(), e.what()); // its callers are told so, too
        }
        link->connect_if_running();
    }
    own_tasks_.spawn(take_names(), "take the bus names");
}

void ProxyService::watch_locks() {
    // A driver that somebody else starts writes its lock: its signals are wanted from then on.
    sd_event_source* source = nullptr;
    check(sd_event_add_inotify(ctx_.loop.get(),
                               &source,
                               ctx_.options.directories.runtime.c_str(),
                               IN_MODIFY,
                               &on_lock_written,
                               this),
          "watch the runtime directory");
    lock_watch_.reset(source);
}

int ProxyService::on_lock_written(sd_event_source*,
                                  const inotify_event* event,
                                  void* context) noexcept {
    auto& self = *static_cast<ProxyService*>(context);
    if (event->len == 0 || !std::string_view(event->name).ends_with(".pid")) {
        return 0;
    }
    for (const auto& [driver, link] : self.links_) {
        link->connect_if_running();
    }
    return 0;
}

Task<void> ProxyService::take_names() {
    for (const char* const name : names) {
        auto request = bus_call(connection_.get(), "RequestName");
        bus::append(request.get(), std::string(name));
        bus::append(request.get(), do_not_queue);
        auto asking = bus::Call(connection_.get(), std::move(request), bus_limit);
        try {
            const bus::Message reply = co_await asking;
            uint32_t result = 0;
            check(sd_bus_message_read(reply.get(), "u", &result), "read the bus's answer");
            if (result != primary_owner) {
                log::warning("the bus name {} belongs to another program: going on without it",
                             name);
            }
        } catch (const Error& e) {
            log::error("the bus name {}: {}", name, e.what());
        }
    }
}

Task<void> ProxyService::look_for(std::string client, std::string driver) {
    auto question = bus_call(connection_.get(), "NameHasOwner");
    bus::append(question.get(), client);
    auto asking = bus::Call(connection_.get(), std::move(question), bus_limit);
    try {
        const bus::Message reply = co_await asking;
        int there = 0;
        check(sd_bus_message_read(reply.get(), "b", &there), "read the bus's answer");
        if (there == 0) {
            link(driver).client_left(client);
        }
    } catch (const Error& e) {
        log::error("whether {} is on the bus: {}", client, e.what());
    }
}

bool ProxyService::idle() const {
    if (!callers_.empty()) {
        return false;
    }
    for (const auto& [driver, link] : links_) {
        if (!link->idle()) {
            return false;
        }
    }
    return true;
}

bool ProxyService::leave() {
    if (!leaving_ && ctx_.loop.now() - active_at_ >= ctx_.options.idle_timeout) {
        leaving_ = true;
        own_tasks_.spawn(give_names_back(), "give the bus names back");
    }
    return false;
}

Task<void> ProxyService::give_names_back() {
    const std::uint64_t before = calls_;
    for (const char* const name : names) {
        auto release = bus_call(connection_.get(), "ReleaseName");
        bus::append(release.get(), std::string(name));
        auto asking = bus::Call(connection_.get(), std::move(release), bus_limit);
        try {
            co_await asking;
        } catch (const Error& e) {
            log::error("give the bus name {} back: {}", name, e.what());
        }
    }
    // The bus delivers in order: what was called before the names went has arrived by now, and
    // what is called from now on starts a new daemon.
    if (calls_ == before) {
        log::debug("idle: leaving");
        ctx_.loop.exit(0);
        co_return;
    }
    leaving_ = false;
    co_await take_names();
}

DriverLink& ProxyService::link(std::string_view driver) {
    return *links_.find(driver)->second;
}

int ProxyService::on_client_left(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
    auto& self = *static_cast<ProxyService*>(context);
    const char* name = nullptr;
    const char* before = nullptr;
    const char* now = nullptr;
    if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0 || *now != '\0') {
        return 0;
    }
    if (self.callers_.left(name)) {
        self.active_at_ = self.ctx_.loop.now();
    }
    try {
        for (const auto& [driver, link] : self.links_) {
            link->client_left(name);
        }
    } catch (const std::exception& e) {
        log::error("tell drivers that {} has left: {}", name, e.what());
    }
    return 0;
}

int ProxyService::on_message(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
    auto& self = *static_cast<ProxyService*>(context);
    uint8_t type = 0;
    if (sd_bus_message_get_type(message, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL) {
        return 0;
    }
    if (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Peer", nullptr) > 0) {
        return 0; // sd-bus answers
    }
    self.take_call(bus::Message::share(message));
    return 1;
}

Route ProxyService::route_of(sd_bus_message* call, CallHeader& header) const {
    header = {text(sd_bus_message_get_path(call)),
              text(sd_bus_message_get_interface(call)),
              text(sd_bus_message_get_member(call)),
              text(sd_bus_message_get_signature(call, true))};
    // A wrong signature goes the common way and is refused there.
    if (!names_property(header) || !header.signature.starts_with('s')) {
        return route_call(header);
    }
    const char* interface = nullptr;
    const char* property = nullptr;
    check(sd_bus_message_read(call, "s", &interface), "read the interface's name");
    if (header.member != "GetAll" && header.signature.starts_with("ss")) {
        check(sd_bus_message_read(call, "s", &property), "read the property's name");
    }
    return route_property(header, {interface, text(property)});
}

void ProxyService::take_call(bus::Message call) {
    ++calls_;
    active_at_ = ctx_.loop.now();
    sd_bus_message* const message = call.get();
    try {
        check(sd_bus_message_rewind(message, true), "read a call"); // it may come again
        CallHeader header;
        const Route route = route_of(message, header);
        if (route.handling == Handling::refuse) {
            answer_error(message, route.error, route.message);
            return;
        }
        Names actions = route.actions;
        if (!route.secure_action.empty() && asks_for_secrets(message, header.signature)) {
            actions.add(route.secure_action);
        }
        const Callers::Admission admission = callers_.admit(message, actions);
        if (admission.answer == Callers::Answer::refused) {
            answer_failure(message, Error(ErrorCode::access_denied, "{}", admission.reason));
        } else if (admission.answer == Callers::Answer::admitted) {
            carry_out(std::move(call), route, header);
        }
    } catch (const Error& e) {
        answer_failure(message, e);
    } catch (const std::exception& e) {
        log::error("a call: {}", e.what());
        answer_failure(message, Error(ErrorCode::internal, "{}", e.what()));
    }
}

void ProxyService::carry_out(bus::Message call, const Route& route, const CallHeader& header) {
    if (route.handling == Handling::introspect) {
        check(sd_bus_reply_method_return(call.get(), "s", introspect(header.path).c_str()),
              "answer Introspect");
        return;
    }
    const bool again = only_reads(route);
    if (route.handling == Handling::forward) {
        link(route.drivers.front()).submit(std::make_unique<ForwardedCall>(std::move(call), again));
        return;
    }
    auto parts =
        MergedCall::split(std::move(call), again, element_of(header), route.drivers.size());
    auto part = parts.begin();
    for (const std::string_view driver : route.drivers) {
        link(driver).submit(std::move(*part++));
    }
}

} // namespace vireo::proxy
