// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "storage-driver/backend/dir.hpp"
#include "tests/support/host_tree.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>

using namespace vireo;
using namespace vireo::storage;
using vireo::test::HostTree;

namespace {

PoolDef pool_in(const HostTree& tree, const std::string& folder) {
    PoolDef pool;
    pool.name = "images";
    pool.target.path = tree.at(folder);
    return pool;
}

VolumeDef named(const std::string& name) {
    VolumeDef volume;
    volume.name = name;
    volume.capacity = 4096;
    return volume;
}

std::vector<std::string> names(const PoolContents& contents) {
    std::vector<std::string> found;
    for (const VolumeDef& volume : contents.volumes) {
        found.push_back(volume.name);
    }
    std::ranges::sort(found);
    return found;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};

    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

} // namespace

TEST_CASE("building makes the folder; building again changes only what is asked for") {
    const HostTree tree;
    const DirBackend backend;
    PoolDef pool = pool_in(tree, "/a/b");
    CHECK_THROWS_AS(backend.start(pool), Error);
    backend.build(pool);
    CHECK(mode_of(tree.at("/a/b")) == 0711);
    CHECK_NOTHROW(backend.start(pool));
    backend.build(pool);
    CHECK(mode_of(tree.at("/a/b")) == 0711);
    pool.target.permissions = Permissions{.mode = 0750, .owner = -1, .group = -1, .label = {}};
    backend.build(pool);
    CHECK(mode_of(tree.at("/a/b")) == 0750);
    backend.remove(pool);
    CHECK_FALSE(std::filesystem::exists(tree.at("/a/b")));
}

TEST_CASE("files and folders are volumes; pipes, strange names and unfinished work are not") {
    HostTree tree;
    tree.write("/p/disk.img", std::string(5000, 'x'));
    tree.write("/p/sub/inner.img", "x");
    tree.write("/p/.vireo-new.partial", "x");
    tree.write("/p/\xff\xfe", "x");
    tree.write("/p/\xc3\xa4.img", "x");
    tree.write("/p/a\nb", "x");
    REQUIRE(::mkfifo(tree.at("/p/pipe").c_str(), 0600) == 0);
    std::filesystem::create_symlink("/no/such/file", tree.at("/p/dangling"));
    const PoolContents found = DirBackend().contents(pool_in(tree, "/p"));
    CHECK(names(found) == std::vector<std::string>{"disk.img", "sub", "\xc3\xa4.img"});
    CHECK(found.capacity > 0);
    CHECK(found.capacity == found.allocation + found.available);
    const auto disk = std::ranges::find(found.volumes, "disk.img", &VolumeDef::name);
    CHECK(disk->capacity == 5000U);
    CHECK(disk->key == tree.at("/p/disk.img").string());
    CHECK(disk->target.timestamps.has_value());
    const auto sub = std::ranges::find(found.volumes, "sub", &VolumeDef::name);
    CHECK(sub->type == VolumeType::dir);
}

TEST_CASE("a reserved volume is nobody else's to read, and gets its name in one step") {
    HostTree tree;
    tree.write("/p/there", "old");
    const DirBackend backend;
    const PoolDef pool = pool_in(tree, "/p");
    const std::string reserved = backend.reserve(pool, named("new"));
    CHECK(mode_of(reserved) == 0600);
    CHECK_THROWS_AS(backend.reserve(pool, named("new")), Error);
    VolumeDef wanted = named("new");
    wanted.target.permissions = Permissions{.mode = 0640, .owner = -1, .group = -1, .label = {}};
    wanted.allocation = 1024;
    backend.publish(pool, wanted, reserved);
    CHECK(mode_of(tree.at("/p/new")) == 0640);
    CHECK_FALSE(std::filesystem::exists(reserved));

    const std::string second = backend.reserve(pool, named("there"));
    CHECK_THROWS_AS(backend.publish(pool, named("there"), second), Error);
    CHECK(std::filesystem::file_size(tree.at("/p/there")) == 3);
    backend.abandon(second);
    CHECK_FALSE(std::filesystem::exists(second));
    backend.reserve(pool, named("lost"));
    backend.clean_up(pool);
    CHECK(names(backend.contents(pool)) == std::vector<std::string>{"new", "there"});
}

TEST_CASE("deleting takes files and empty folders, and never what is in one") {
    HostTree tree;
    tree.write("/p/sub/inner.img", "x");
    tree.write("/p/disk.img", "x");
    const DirBackend backend;
    const PoolDef pool = pool_in(tree, "/p");
    CHECK_THROWS_AS(backend.remove_volume(pool, backend.volume(pool, "sub")), Error);
    backend.remove_volume(pool, backend.volume(pool, "disk.img"));
    CHECK_FALSE(std::filesystem::exists(tree.at("/p/disk.img")));
    CHECK_NOTHROW(backend.remove_volume(pool, named("disk.img"))); // gone is gone
    CHECK_THROWS_AS(backend.volume(pool, "disk.img"), Error);
    CHECK_THROWS_AS(backend.remove(pool), Error);
    CHECK(std::filesystem::exists(tree.at("/p/sub/inner.img")));
}
