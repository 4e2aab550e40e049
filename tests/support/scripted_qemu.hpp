// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vireo::test {

/// QEMU's end of a monitor: a thread that answers each command as the test says.
class ScriptedQemu {
  public:
    using Answers = std::vector<nlohmann::json>;
    /// What is sent for a command, in this order: its reply, and events.
    using Script =
        std::function<Answers(const std::string& command, const nlohmann::json& arguments)>;

    /// Greets as QEMU of that version; negotiation is answered without asking `script`, which runs
    /// on the thread.
    ScriptedQemu(unsigned major, unsigned minor, Script script);

    ScriptedQemu(const ScriptedQemu&) = delete;
    ScriptedQemu& operator=(const ScriptedQemu&) = delete;

    ~ScriptedQemu();

    /// The manager's end, once.
    Fd take_client_end() { return std::move(client_end_); }

    /// The commands so far, `qom-set {"path":…}`, without the negotiation.
    std::vector<std::string> commands();

  private:
    void serve();
    void send(const nlohmann::json& message) const;

    Script script_;
    Fd client_end_;
    Fd end_;
    std::mutex mutex_;
    std::vector<std::string> commands_;
    std::thread thread_;
};

/// `{"return": VALUE}` and `{"event": NAME, …}`.
nlohmann::json reply_with(nlohmann::json value = nlohmann::json::object());
nlohmann::json event_of(const std::string& name, nlohmann::json data);

} // namespace vireo::test
