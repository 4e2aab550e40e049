// SPDX-License-Identifier: LGPL-2.1-or-later
// Probing with the installed QEMU, and with programs that only pretend to be one.
#include "qemu-driver/capabilities/capabilities_cache.hpp"
#include "qemu-driver/capabilities/probe_binary.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using namespace vireo;
using namespace vireo::qemu;
using namespace std::chrono_literals;

namespace {

using Capabilities = std::shared_ptr<const QemuCapabilities>;

/// Programs of the test and the cache's files, in a folder of their own.
class Folder : public test::HostTree {
  public:
    /// A shell script that notes each of its runs; it becomes the real QEMU by `exec`.
    std::string program(const std::string& body) {
        write("qemu", "#!/bin/sh\necho run >>" + at("runs").string() + "\n" + body + "\n");
        std::filesystem::permissions(at("qemu"), std::filesystem::perms::owner_all);
        return at("qemu").string();
    }

    std::string working_program() { return program("exec qemu-system-x86_64 \"$@\""); }

    long runs() const {
        std::ifstream file(at("runs"));
        return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
    }

    std::string cache() const { return at("cache/qemu").string(); }

    std::filesystem::path cache_file() const {
        const std::filesystem::directory_iterator files(cache());
        REQUIRE(files != std::filesystem::directory_iterator());
        return files->path();
    }
};

std::string failure_of(Loop& loop, Task<Capabilities> task) {
    try {
        test::finish(loop, std::move(task));
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::operation_failed);
        return e.what();
    }
    return "";
}

/// The file is written after the answer has been given.
void wait_for_file(Loop& loop, const Folder& folder) {
    REQUIRE(test::run_until(loop, [&] {
        std::error_code none;
        const std::filesystem::directory_iterator files(folder.cache(), none);
        return !none && files != std::filesystem::directory_iterator() &&
               files->path().extension() == ".json";
    }));
}

Task<void> ask(CapabilitiesCache& cache, std::string binary, std::vector<Capabilities>& answers) {
    Capabilities answer = co_await cache.get(binary);
    answers.push_back(answer);
}

} // namespace

TEST_CASE("the installed QEMU is probed without KVM") {
    Loop loop;
    const auto found = test::finish(loop, probe_binary(loop, "qemu-system-x86_64", false));
    CHECK(found->arch == "x86_64");
    CHECK(found->machine("q35") != nullptr);
    CHECK_FALSE(found->kvm_enabled);
    CHECK_FALSE(found->tcg_cpu_models.empty());
    CHECK(found->has_type("virtio-blk-pci"));
}

TEST_CASE("a program that is no QEMU is described by what it did and printed") {
    Loop loop;
    Folder folder;
    const auto probe = [&](const std::string& body) {
        return failure_of(loop, probe_binary(loop, folder.program(body), false, 1s));
    };
    const std::string start = "cannot probe QEMU '" + folder.at("qemu").string() + "': ";
    SUBCASE("it fails") {
        CHECK(probe("echo 'no such option' >&2; echo sorry >&2; exit 3") ==
              start + "no answer to 'qmp_capabilities': QEMU closed its monitor; it ended with "
                      "exit status 3; it printed: no such option sorry");
    }
    SUBCASE("it dies") {
        CHECK(probe("kill -SEGV $$") ==
              start + "no answer to 'qmp_capabilities': QEMU closed its monitor; it ended with "
                      "signal 11 (Segmentation fault); it printed nothing");
    }
    SUBCASE("it prints garbage") {
        const std::string text = probe("echo hello; read line; exit 0");
        CHECK(text.starts_with(start + "no answer to 'qmp_capabilities': QEMU does not speak QMP"));
    }
    SUBCASE("it stops answering in the middle") {
        const std::string text =
            probe("echo '{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, \"minor\": 2, "
                  "\"micro\": 0}}}}'; read line; echo '{\"return\": {}, \"id\": 0}'; exit 0");
        CHECK(text.starts_with(start + "no answer to 'query-version': "));
    }
    SUBCASE("it answers with something else") {
        const std::string text =
            probe("echo '{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, \"minor\": 2, "
                  "\"micro\": 0}}}}'; read line; echo '{\"return\": {}, \"id\": 0}'\n"
                  "while read line; do echo '{\"return\": 7}'; done");
        CHECK(text.find("has another form than expected") != std::string::npos);
    }
    SUBCASE("it hangs") {
        const auto begin = std::chrono::steady_clock::now();
        CHECK(
            failure_of(loop, probe_binary(loop, folder.program("exec sleep 1000"), false, 50ms)) ==
            start + "no end of the probe within 50 ms; it ended with signal 9 (Killed); it "
                    "printed nothing");
        CHECK(std::chrono::steady_clock::now() - begin < 10s);
    }
    SUBCASE("it prints more than anybody reads") {
        const std::string text =
            probe("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1");
        CHECK(text.find("exit status 1; it printed: xxx") != std::string::npos);
        CHECK(text.size() < 3000);
    }
    CHECK(folder.runs() == 1);
}

TEST_CASE("where KVM does not work the probe goes on without it") {
    Loop loop;
    Folder folder;
    const std::string program = folder.program("case \"$*\" in *kvm*) echo 'KVM is broken' >&2; "
                                               "exit 1;; esac\nexec qemu-system-x86_64 \"$@\"");
    const auto found = test::finish(loop, probe_binary(loop, program, true));
    CHECK_FALSE(found->kvm_enabled);
    CHECK_FALSE(found->tcg_cpu_models.empty());
    CHECK(found->machine("q35") != nullptr);
}

TEST_CASE("a binary is run once for all who ask, and its file is read by the next daemon") {
    Loop loop;
    Folder folder;
    const std::string program = folder.working_program();
    long runs = 0;
    Capabilities first;
    {
        CapabilitiesCache cache(loop, folder.cache());
        CHECK(cache.known(program) == nullptr);
        std::vector<Capabilities> answers;
        Scope scope(loop);
        for (int i = 0; i < 5; ++i) {
            scope.spawn(ask(cache, program, answers), "test");
        }
        CHECK(answers.empty());
        REQUIRE(test::run_until(loop, [&] { return answers.size() == 5; }));
        for (const auto& answer : answers) {
            CHECK(answer == answers.front());
        }
        first = answers.front();
        CHECK(cache.known(program) == first);
        runs = folder.runs(); // one more for KVM: TCG's models are learnt in a run of their own
        CHECK(runs <= 2);
        wait_for_file(loop, folder);
    }
    CapabilitiesCache next(loop, folder.cache());
    const auto begin = std::chrono::steady_clock::now();
    const auto read = next.known(program);
    const auto took = std::chrono::steady_clock::now() - begin;
    MESSAGE(
        "a warm start takes " << std::chrono::duration_cast<std::chrono::microseconds>(took).count()
                              << " us for " << std::filesystem::file_size(folder.cache_file())
                              << " bytes");
    REQUIRE(read);
    CHECK(*read == *first);
    CHECK(test::finish(loop, next.get(program)) == read);
    CHECK(folder.runs() == runs);
}

TEST_CASE("a binary that changed is probed anew, and a damaged file is as good as none") {
    Loop loop;
    Folder folder;
    const std::string program = folder.working_program();
    CapabilitiesCache cache(loop, folder.cache());
    test::finish(loop, cache.get(program));
    wait_for_file(loop, folder);
    const long runs = folder.runs();

    folder.program("exec qemu-system-x86_64 \"$@\" # upgraded");
    CHECK(cache.known(program) == nullptr);
    test::finish(loop, cache.get(program));
    CHECK(folder.runs() == 2 * runs);

    wait_for_file(loop, folder);
    std::ofstream(folder.cache_file()) << "{\"format\":1,";
    CapabilitiesCache next(loop, folder.cache());
    CHECK(next.known(program) == nullptr);
    test::finish(loop, next.get(program));
    CHECK(folder.runs() == 3 * runs);
}

TEST_CASE("a failed probe is remembered for a while, or until the binary changes") {
    Loop loop;
    Folder folder;
    const std::string program = folder.program("echo broken >&2; exit 1");
    SUBCASE("for a while") {
        CapabilitiesCache cache(loop, folder.cache());
        const std::string why = failure_of(loop, cache.get(program));
        CHECK(why.find("it printed: broken") != std::string::npos);
        const long runs = folder.runs();
        CHECK(failure_of(loop, cache.get(program)) == why);
        CHECK(folder.runs() == runs);
        CHECK(cache.known(program) == nullptr);
        folder.working_program();
        CHECK(test::finish(loop, cache.get(program)));
    }
    SUBCASE("not at all") {
        CapabilitiesCache::Limits limits;
        limits.failure = 0ms;
        CapabilitiesCache cache(loop, folder.cache(), limits);
        failure_of(loop, cache.get(program));
        const long runs = folder.runs();
        failure_of(loop, cache.get(program));
        CHECK(folder.runs() > runs);
    }
}

TEST_CASE("a probe goes on when who asked is cancelled, and ends with the cache") {
    Loop loop;
    Folder folder;
    const std::string program = folder.working_program();
    CapabilitiesCache cache(loop, folder.cache());
    std::vector<Capabilities> answers;
    {
        Scope scope(loop);
        scope.spawn(ask(cache, program, answers), "test");
    }
    CHECK(test::finish(loop, cache.get(program)));
    CHECK(answers.empty());

    const std::string other = folder.program("exec sleep 1000");
    auto dying = std::make_unique<CapabilitiesCache>(loop, folder.cache());
    {
        Scope scope(loop);
        scope.spawn(ask(*dying, other, answers), "test");
    }
    dying.reset(); // kills it; the test would leave a process behind else
}

TEST_CASE("a program that is not there is not remembered") {
    Loop loop;
    Folder folder;
    CapabilitiesCache cache(loop, folder.cache());
    const std::string program = folder.at("qemu").string();
    CHECK_THROWS_AS(test::finish(loop, cache.get(program)), Error);
    CHECK_THROWS_AS(cache.known(program), Error);
    folder.working_program();
    CHECK(test::finish(loop, cache.get(program)));
}
