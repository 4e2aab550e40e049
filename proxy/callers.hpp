// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/bus/types.hpp"
#include "proxy/authorize.hpp"
#include "proxy/routes.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vireo::proxy {

/// The clients that have called and are still on the bus, and what each may do. The bus is asked
/// once per client who it is, polkit once per client and action.
class Callers {
  public:
    struct Needs {
        /// Gets each call whose admission had to wait; it asks anew then.
        std::function<void(bus::Message call)> again;
        /// The trusted group. It is called once, for the first caller who is not trusted without:
        /// the name services take longer than all else at the start.
        std::function<std::optional<gid_t>()> find_group;
    };

    Callers(Scope& tasks, sd_bus* connection, Policy policy, Needs needs);

    enum class Answer { admitted, refused, later };

    struct Admission {
        Answer answer;
        std::string reason; // of a refusal
    };

    /// Whether the sender of `call` may do all of `actions`. With `later` the call is kept.
    Admission admit(sd_bus_message* call, const Names& actions);

    /// It is gone from the bus: forgotten, with its calls that wait. False where it was not known.
    bool left(std::string_view name);

    bool empty() const noexcept { return callers_.empty(); }

    bool present(std::string_view name) const { return callers_.contains(name); }

  private:
    struct Caller {
        bool trusted = false;
        bool identified = false;
        std::vector<bus::Message> waiting; // until it is identified; the first one asked
        std::map<std::string, Verdict, std::less<>> verdicts;
        std::map<std::string, std::vector<bus::Message>, std::less<>> asked; // polkit, by action
    };

    struct Hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view name) const noexcept {
            return std::hash<std::string_view>()(name);
        }
    };

    Caller& caller(std::string_view name);
    bool trust(const Identity& who);
    void repeat(std::vector<bus::Message> calls);
    Task<void> identify(std::string name);
    Task<void> ask_polkit(std::string name, std::string action, bool interactive);

    Scope& tasks_;
    sd_bus* connection_;
    Policy policy_;
    Needs needs_;
    bool group_known_ = false;
    std::unordered_map<std::string, Caller, Hash, std::equal_to<>> callers_;
};

} // namespace vireo::proxy
