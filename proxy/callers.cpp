// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/callers.hpp"

#include "libshared/bus/call.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"

#include <chrono>
#include <cstring>
#include <utility>

namespace vireo::proxy {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::microseconds answer_limit = 25s;
constexpr std::chrono::microseconds password_limit = 5min; // somebody types one

/// Source: D-Bus specification, org.freedesktop.DBus.GetConnectionCredentials.
Identity read_identity(sd_bus_message* reply) {
    Identity who;
    check(sd_bus_message_enter_container(reply, 'a', "{sv}"), "read credentials");
    while (check(sd_bus_message_enter_container(reply, 'e', "sv"), "read credentials") > 0) {
        const char* key = nullptr;
        check(sd_bus_message_read(reply, "s", &key), "read credentials");
        if (std::strcmp(key, "UnixUserID") == 0) {
            uint32_t uid = 0;
            check(sd_bus_message_read(reply, "v", "u", &uid), "read credentials");
            who.uid = uid;
        } else if (std::strcmp(key, "UnixGroupIDs") == 0) {
            const void* ids = nullptr;
            size_t size = 0;
            check(sd_bus_message_enter_container(reply, 'v', "au"), "read credentials");
            check(sd_bus_message_read_array(reply, 'u', &ids, &size), "read credentials");
            check(sd_bus_message_exit_container(reply), "read credentials");
            const auto* const first = static_cast<const uint32_t*>(ids);
            who.groups.assign(first, first + size / sizeof(uint32_t));
        } else {
            check(sd_bus_message_skip(reply, "v"), "read credentials");
        }
        check(sd_bus_message_exit_container(reply), "read credentials");
    }
    return who;
}

/// Source: polkit's reference, org.freedesktop.PolicyKit1.Authority.CheckAuthorization.
bus::Message
polkit_question(sd_bus* connection, const char* caller, const char* action, bool interactive) {
    bus::Message question = bus::new_call(connection,
                                          "org.freedesktop.PolicyKit1",
                                          "/org/freedesktop/PolicyKit1/Authority",
                                          "org.freedesktop.PolicyKit1.Authority",
                                          "CheckAuthorization");
    check(sd_bus_message_append(question.get(),
                                "(sa{sv})sa{ss}us",
                                "system-bus-name",
                                1,
                                "name",
                                "s",
                                caller,
                                action,
                                0,
                                interactive ? 1U : 0U,
                                ""),
          "ask polkit");
    return question;
}

Verdict read_verdict(sd_bus_message* reply) {
    int granted = 0;
    int challenge = 0;
    check(sd_bus_message_enter_container(reply, 'r', "bba{ss}"), "read polkit's answer");
    check(sd_bus_message_read(reply, "bb", &granted, &challenge), "read polkit's answer");
    if (granted != 0) {
        return Verdict::granted;
    }
    return challenge != 0 ? Verdict::after_authentication : Verdict::denied;
}

/// The errors by which a bus says that nobody has a name.
bool nobody_there(const std::string& failure) {
    return failure.find("org.freedesktop.DBus.Error.ServiceUnknown") != std::string::npos ||
           failure.find("org.freedesktop.DBus.Error.NameHasNoOwner") != std::string::npos ||
           failure.find("org.freedesktop.DBus.Error.Spawn.") != std::string::npos;
}

} // namespace

Callers::Callers(Scope& tasks, sd_bus* connection, Policy policy, Needs needs)
    : tasks_(tasks), connection_(connection), policy_(policy), needs_(std::move(needs)) {}

Callers::Caller& Callers::caller(std::string_view name) {
    const auto found = callers_.find(name);
    if (found != callers_.end()) {
        return found->second;
    }
    Caller& made = callers_[std::string(name)];
    made.trusted = policy_.session;
    made.identified = policy_.session;
    return made;
}

Callers::Admission Callers::admit(sd_bus_message* call, const Names& actions) {
    const char* const sender = sd_bus_message_get_sender(call);
    if (sender == nullptr) {
        return {Answer::refused, "the call has no sender"};
    }
    Caller& who = caller(sender);
    if (who.trusted) {
        return {Answer::admitted, {}};
    }
    if (!who.identified) {
        who.waiting.push_back(bus::Message::share(call));
        if (who.waiting.size() == 1) {
            tasks_.spawn(identify(sender), "identify a caller");
        }
        return {Answer::later, {}};
    }
    for (const std::string_view action : actions) {
        const auto known = who.verdicts.find(action);
        if (known == who.verdicts.end()) {
            auto& waiting = who.asked[std::string(action)];
            waiting.push_back(bus::Message::share(call));
            if (waiting.size() == 1) {
                const bool interactive =
                    sd_bus_message_get_allow_interactive_authorization(call) > 0;
                tasks_.spawn(ask_polkit(sender, std::string(action), interactive), "ask polkit");
            }
            return {Answer::later, {}};
        }
        if (!allows(known->second, action)) {
            return {Answer::refused, refusal(known->second, action)};
        }
    }
    return {Answer::admitted, {}};
}

void Callers::repeat(std::vector<bus::Message> calls) {
    for (bus::Message& call : calls) {
        needs_.again(std::move(call));
    }
}

bool Callers::trust(const Identity& who) {
    if (!trusted(policy_, who) && !std::exchange(group_known_, true)) {
        policy_.group = needs_.find_group();
    }
    return trusted(policy_, who);
}

bool Callers::left(std::string_view name) {
    const auto found = callers_.find(name);
    if (found == callers_.end()) {
        return false;
    }
    callers_.erase(found);
    return true;
}

Task<void> Callers::identify(std::string name) {
    Identity who;
    auto question = bus::new_call(connection_,
                                  "org.freedesktop.DBus",
                                  "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus",
                                  "GetConnectionCredentials",
                                  name);
    try {
        auto answer = bus::Call(connection_, std::move(question), answer_limit);
        const bus::Message reply = co_await answer;
        who = read_identity(reply.get());
    } catch (const Error& e) {
        log::debug("who is {}: {}", name, e.what()); // it has left, or stays a stranger
    }
    const auto found = callers_.find(name);
    if (found == callers_.end()) {
        co_return;
    }
    found->second.trusted = trust(who);
    found->second.identified = true;
    auto waiting = std::exchange(found->second.waiting, {});
    repeat(std::move(waiting));
}

Task<void> Callers::ask_polkit(std::string name, std::string action, bool interactive) {
    Verdict verdict = Verdict::denied;
    auto question = polkit_question(connection_, name.c_str(), action.c_str(), interactive);
    const auto limit = interactive ? password_limit : answer_limit;
    try {
        auto answer = bus::Call(connection_, std::move(question), limit);
        const bus::Message reply = co_await answer;
        verdict = read_verdict(reply.get());
    } catch (const Error& e) {
        verdict = nobody_there(e.what()) ? Verdict::no_polkit : Verdict::denied;
        if (verdict == Verdict::denied) {
            log::warning("polkit on '{}' for {}: {}", action, name, e.what());
        }
    }
    auto found = callers_.find(name);
    if (found == callers_.end()) {
        co_return;
    }
    found->second.verdicts[action] = verdict;
    auto waiting = std::exchange(found->second.asked[action], {});
    repeat(std::move(waiting));
    found = callers_.find(name); // a call may have ended more than itself
    if (found != callers_.end() && !lasts(verdict)) {
        found->second.verdicts.erase(action);
    }
}

} // namespace vireo::proxy
