// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/this_host.hpp"

#include "libshared/async/scope.hpp"
#include "libshared/error.hpp"
#include "qemu-driver/actions/preview_domain.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/store/statuses.hpp"

#include <unistd.h>

#include <csignal>
#include <exception>
#include <filesystem>
#include <optional>

namespace vireo::tool {

namespace {

Options options_for(const std::string& root) {
    Options options;
    options.session = geteuid() != 0;
    if (!root.empty()) {
        std::error_code failure;
        options.root = std::filesystem::canonical(root, failure);
        if (failure) {
            throw Error(ErrorCode::invalid_arg, "--root: folder '{}': {}", root, failure.message());
        }
        options.directories = Directories::below(options.root);
    } else {
        options.directories = options.session ? Directories::session() : Directories::system();
    }
    return options;
}

/// sd-event asks for it, before anything is started.
void block_child_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
}

template <class T>
struct Outcome {
    std::optional<T> value;
    std::exception_ptr failure;
};

template <class T>
Task<void> deliver(Loop& loop, Task<T> task, Outcome<T>& outcome) {
    try {
        T value = co_await std::move(task);
        outcome.value.emplace(std::move(value));
    } catch (...) {
        outcome.failure = std::current_exception();
    }
    loop.exit(0);
}

/// Runs the loop until the task has ended.
template <class T>
T result_of(Loop& loop, Task<T> task) {
    Outcome<T> outcome;
    Scope scope(loop);
    scope.spawn(deliver(loop, std::move(task), outcome), "vireo-xml");
    loop.run();
    if (outcome.failure) {
        std::rethrow_exception(outcome.failure);
    }
    return std::move(*outcome.value);
}

} // namespace

ThisHost::ThisHost(const std::string& root)
    : options_((block_child_signal(), options_for(root))), host_(loop_, options_) {}

std::vector<std::string> ThisHost::arguments(std::string xml) {
    const std::string& runtime = options_.directories.runtime;
    qemu::actions::ComingGuest coming;
    coming.id = qemu::last_guest_id(runtime) + 1;
    coming.folder = qemu::guest_folder(runtime, coming.id);
    return result_of(loop_,
                     qemu::actions::preview_arguments(host_, std::move(coming), std::move(xml)));
}

qemu::DomainDef ThisHost::completed(qemu::DomainDef def, bool active) {
    qemu::PassOptions options;
    options.active = active;
    options.new_definition = !active;
    return result_of(loop_, qemu::resolve(host_, std::move(def), options)).def;
}

} // namespace vireo::tool
