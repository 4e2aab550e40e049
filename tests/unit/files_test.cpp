// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "tests/support/loop_driver.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

using namespace vireo;
using namespace vireo::test;

namespace {

mode_t mode_of(const std::string& path) {
    struct stat status {};

    check_errno(::stat(path.c_str(), &status), path);
    return status.st_mode & 07777;
}

std::size_t entries(const std::string& folder) {
    const std::filesystem::directory_iterator all(folder);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string refusal(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& e) {
        CHECK((e.code() == ErrorCode::system_error || e.code() == ErrorCode::read_failed));
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("a file holds what was written, with the mode asked for, and nothing else is left") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/file";
    write_file_durably(path, "first", 0640);
    CHECK(read_file(path) == "first");
    CHECK(mode_of(path) == 0640);
    write_file(path, std::string(100000, 'x'));
    CHECK(read_file(path) == std::string(100000, 'x'));
    CHECK(mode_of(path) == 0600);
    write_file(path, "");
    CHECK(read_file(path).empty());
    CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a file is replaced as a whole: a reader never sees a part") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/file";
    const std::string old(300000, 'a');
    const std::string young(200000, 'b');
    write_file(path, old);
    std::atomic<bool> stop = false;
    std::atomic<int> parts = 0;
    std::thread reader([&] {
        while (!stop) {
            const std::string seen = read_file(path);
            parts += seen != old && seen != young ? 1 : 0;
        }
    });
    for (int i = 0; i < 100; ++i) {
        write_file(path, i % 2 == 0 ? young : old);
    }
    stop = true;
    reader.join();
    CHECK(parts == 0);
}

TEST_CASE("a write that fails leaves the old content and no temporary file") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/file";
    write_file(path, "old");
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    const rlimit small{10, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string text = refusal([&] { write_file_durably(path, std::string(100, 'x')); });
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(text == "write '" + path + "': File too large");
    CHECK(read_file(path) == "old");
    CHECK(entries(folder.path()) == 1);

    const std::string taken = folder.path().string() + "/folder";
    make_folders(taken + "/full");
    CHECK(refusal([&] { write_file(taken, "x"); }) == "replace '" + taken + "': Is a directory");
    CHECK(entries(folder.path()) == 2);
}

TEST_CASE("what cannot be read or written is named") {
    const TemporaryFolder folder;
    const std::string none = folder.path().string() + "/none";
    CHECK(refusal([&] { read_file(none); }) == "open '" + none + "': No such file or directory");
    CHECK_FALSE(read_file_if_exists(none));
    CHECK(refusal([&] { read_file(folder.path().string()); }) ==
          "read '" + folder.path().string() + "': Is a directory");
    CHECK(refusal([&] { write_file(none + "/file", "x"); }) ==
          "create a file beside '" + none + "/file': No such file or directory");
}

TEST_CASE("a file is read up to its limit, whatever size it claims") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/file";
    write_file(path, "12345");
    CHECK(read_file(path, 5) == "12345");
    CHECK(refusal([&] { read_file(path, 4); }) == "'" + path + "' has more than 4 bytes");
    REQUIRE(truncate(path.c_str(), off_t{1} << 42) == 0); // a sparse file of 4 TiB
    CHECK(refusal([&] { read_file(path, 1000); }) == "'" + path + "' has more than 1000 bytes");
    CHECK(read_file("/proc/self/status").starts_with("Name:"));
}

TEST_CASE("removing a file twice is no error, removing what is none is") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/file";
    write_file(path, "x");
    remove_file_durably(path);
    CHECK_FALSE(std::filesystem::exists(path));
    remove_file_durably(path);
    make_folders(path);
    CHECK(refusal([&] { remove_file_durably(path); }).starts_with("remove '" + path + "': "));
}

TEST_CASE("folders are made with their parents; what exists keeps its mode") {
    const TemporaryFolder folder;
    const std::string inner = folder.path().string() + "/a/b/c";
    make_folders(inner, 0750);
    CHECK(std::filesystem::is_directory(inner));
    chmod(inner.c_str(), 0700);
    make_folders(inner + "/", 0755);
    CHECK(mode_of(inner) == 0700);
    make_folders("/");

    const std::string file = folder.path().string() + "/file";
    write_file(file, "x");
    CHECK(refusal([&] { make_folders(file); }) == "create folder '" + file + "': Not a directory");
    CHECK(refusal([&] { make_folders(file + "/sub"); }) ==
          "create folder '" + file + "': Not a directory");
    CHECK(refusal([&] { make_folders(""); }) == "create folder '': No such file or directory");
}

TEST_CASE("a daemon saves and deletes off its loop, and gets the same errors") {
    Loop loop;
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/file";
    finish(loop, save_file(loop, path, "content"));
    CHECK(read_file(path) == "content");
    finish(loop, delete_file(loop, path));
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK_THROWS_AS(finish(loop, save_file(loop, path + "/x/y", "content")), Error);
}

TEST_CASE("what a writer that was killed has left is removed, and nothing else") {
    const TemporaryFolder folder;
    write_file(folder.path() / "kept.new", "x");
    write_file(folder.path() / ".kept", "x");
    const pid_t writer = ::fork();
    if (writer == 0) {
        const rlimit small{10, 10};
        ::setrlimit(RLIMIT_FSIZE, &small);
        std::signal(SIGXFSZ, SIG_DFL);
        write_file(folder.path() / "file", std::string(100, 'x')); // it dies by SIGXFSZ
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(writer, &status, 0) == writer);
    REQUIRE(WIFSIGNALED(status));
    CHECK(entries(folder.path()) == 3);
    remove_unfinished(folder.path());
    CHECK(entries(folder.path()) == 2);
    CHECK(read_file(folder.path() / ".kept") == "x");
    remove_unfinished(folder.path() / "nowhere");
}
