// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/probe_binary.hpp"

#include "libshared/async/child_guard.hpp"
#include "libshared/async/deadline.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/stream.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/capabilities/probe.hpp"
#include "qemu-driver/qmp/client.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>
#include <utility>

namespace vireo::qemu {

using nlohmann::json;

namespace {

using Replies = std::vector<ProbeReply>;
using Milliseconds = std::chrono::milliseconds;

/// What is asked next, once the replies so far are there; nothing: the run is over.
using NextQuestions = std::function<std::vector<ProbeCommand>(const Replies& replies)>;

/// How one run is made.
struct Run {
    std::string binary;
    ProbeRun arguments;
    NextQuestions next;
    Milliseconds limit;
};

/// All at once.
NextQuestions questions(ProbeRun run) {
    return [run](const Replies& replies) {
        return replies.empty() ? probe_commands(run) : std::vector<ProbeCommand>();
    };
}

/// What a QEMU that has to be given up printed, on one line.
std::string printed(int errors) {
    constexpr std::size_t most = 2000;
    std::string text(65536, '\0'); // more than the pipe holds
    const ssize_t size = ::read(errors, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    text.erase(0, text.size() - std::min(text.size(), most));
    std::ranges::replace(text, '\n', ' ');
    return text.empty() ? "it printed nothing" : "it printed: " + text;
}

Task<json> answer_of(qmp::Client& client, ProbeCommand command) {
    json answer = json::object();
    try {
        json result = co_await client.execute(command.execute, command.arguments);
        answer["return"] = std::move(result);
    } catch (const qmp::CommandError& e) { // "does not have it"
        answer["error"]["class"] = e.error_class();
        answer["error"]["desc"] = e.description();
    }
    co_return answer;
}

Task<Replies> ask(Loop& loop, Fd socket, NextQuestions next) {
    qmp::Client client(loop, std::move(socket), nullptr, nullptr);
    co_await client.negotiate();
    Replies replies;
    for (auto commands = next(replies); !commands.empty(); commands = next(replies)) {
        for (const ProbeCommand& command : commands) {
            auto asking = answer_of(client, command);
            json answer = co_await std::move(asking);
            replies.push_back(ProbeReply{command.execute, command.arguments, std::move(answer)});
        }
    }
    co_return replies;
}

Task<Replies> run_once(Loop& loop, Run run) {
    int ends[2];
    check_errno(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "create sockets");
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    // Nobody reads it while QEMU runs: what does not fit is lost, and blocks nobody.
    Pipe errors = make_pipe();

    ProcessSpec spec;
    spec.program = run.binary;
    spec.arguments = probe_arguments(run.arguments);
    spec.input = theirs.get();
    spec.output = theirs.get();
    spec.errors = errors.write.get();
    auto starting = spawn(loop, std::move(spec));
    Process process = co_await std::move(starting);
    ChildGuard guard(loop, std::move(process)); // a QEMU without a guest is killed: nothing is lost
    theirs.reset();
    errors.write.reset();

    std::string trouble;
    try {
        auto asking = ask(loop, std::move(ours), std::move(run.next));
        std::string what = "the probe";
        Replies replies = co_await Deadline(loop, std::move(asking), run.limit, std::move(what));
        co_return replies;
    } catch (const Error& e) {
        trouble = e.what();
    }
    guard.process().kill(SIGKILL);
    const ExitStatus status = co_await guard.process().wait(loop);
    throw Error(ErrorCode::operation_failed,
                "cannot probe QEMU '{}': {}; it ended with {}; {}",
                run.binary,
                trouble,
                status.text(),
                printed(errors.read.get()));
}

bool kvm_enabled(const Replies& replies) {
    const auto found = std::ranges::find(replies, "query-kvm", &ProbeReply::execute);
    if (found == replies.end() || !found->answer.contains("return")) {
        return false;
    }
    const json& answer = found->answer["return"];
    return answer.is_object() && answer.contains("enabled") && answer["enabled"] == true;
}

/// Nothing, with a log line, where KVM is what does not work.
Task<std::optional<Replies>> run_with_kvm(Loop& loop, Run run) {
    try {
        auto running = run_once(loop, std::move(run));
        Replies replies = co_await std::move(running);
        co_return replies;
    } catch (const Error& e) {
        log::warning("{}; trying without KVM", e.what());
    }
    co_return std::nullopt;
}

/// Under KVM a model has the host's vendor; that of its own is known from TCG.
void adopt_features(CpuModels& models, const CpuModels& under_kvm) {
    for (const NamedCpu& named : under_kvm) {
        const auto known = std::ranges::find(models, named.name, &NamedCpu::name);
        if (known != models.end()) {
            known->facts.features = named.facts.features;
        }
    }
}

Task<void> deliver(Task<Replies> running, Promised<Replies>& to) {
    try {
        Replies replies = co_await std::move(running);
        to.resolve(std::move(replies));
    } catch (const Error&) {
        to.fail(std::current_exception());
    }
}

} // namespace

Task<std::shared_ptr<const QemuCapabilities>>
probe_binary(Loop& loop, std::string binary, bool try_kvm, Milliseconds limit) {
    const Milliseconds each = try_kvm ? limit / 2 : limit; // at most two, one after the other
    const NextQuestions all = questions(ProbeRun::best_accelerator);
    Run with_kvm{binary, ProbeRun::best_accelerator, all, each};
    Run without_kvm{binary, ProbeRun::tcg_only, all, each};
    Run tcg_models{binary, ProbeRun::tcg_only, questions(ProbeRun::tcg_only), each};

    std::optional<Replies> first;
    Replies second;
    if (try_kvm) {
        // Both at once: a second run afterwards would take half as long again.
        Promised<Replies> models(loop);
        Scope beside(loop);
        beside.spawn(deliver(run_once(loop, std::move(tcg_models)), models), binary);
        auto running = run_with_kvm(loop, std::move(with_kvm));
        first = co_await std::move(running);
        if (first && kvm_enabled(*first)) {
            second = co_await models.value();
        }
    }
    if (!first) {
        auto running = run_once(loop, std::move(without_kvm));
        first = co_await std::move(running);
    }
    QemuCapabilities capabilities = capabilities_from_replies(binary, *first, second);
    co_return std::make_shared<const QemuCapabilities>(std::move(capabilities));
}

Task<std::shared_ptr<const CpuModels>>
probe_cpu_models(Loop& loop, std::string binary, bool kvm, Milliseconds limit) {
    NextQuestions next = [](const Replies& replies) {
        if (replies.empty()) {
            return std::vector<ProbeCommand>{{"query-cpu-definitions", nullptr}};
        }
        return replies.size() == 1 ? model_commands(replies) : std::vector<ProbeCommand>();
    };
    Run with_tcg{binary, ProbeRun::tcg_only, next, limit / 2};
    auto running = run_once(loop, std::move(with_tcg));
    const Replies replies = co_await std::move(running);
    CpuModels models = models_from_replies(std::span(replies).subspan(1));
    if (kvm) {
        Run with_kvm{binary, ProbeRun::best_accelerator, next, limit / 2};
        running = run_once(loop, std::move(with_kvm));
        const Replies under_kvm = co_await std::move(running);
        adopt_features(models, models_from_replies(std::span(under_kvm).subspan(1)));
    }
    co_return std::make_shared<const CpuModels>(std::move(models));
}

} // namespace vireo::qemu
