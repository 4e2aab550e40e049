// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/authorize.hpp"
#include "proxy/listeners.hpp"

#include <doctest/doctest.h>

using namespace vireo::proxy;

TEST_CASE("root, the daemons' user and the group are trusted, nobody else") {
    const Policy policy{.session = false, .own = 500, .group = 77};
    CHECK(trusted(policy, {.uid = 0, .groups = {}}));
    CHECK(trusted(policy, {.uid = 500, .groups = {}}));
    CHECK(trusted(policy, {.uid = 1000, .groups = {1000, 77}}));
    CHECK_FALSE(trusted(policy, {.uid = 1000, .groups = {1000, 78}}));
    CHECK_FALSE(trusted(policy, Identity{}));
    CHECK_FALSE(trusted({.session = false, .own = 0, .group = {}}, {.uid = 1000, .groups = {77}}));
}

TEST_CASE("a session is its user's own") {
    CHECK(trusted({.session = true, .own = 500, .group = {}}, Identity{}));
}

TEST_CASE("without polkit others may read, not change") {
    CHECK(allows(Verdict::no_polkit, "org.vireo.domain.read"));
    CHECK_FALSE(allows(Verdict::no_polkit, "org.vireo.domain.write"));
    CHECK_FALSE(allows(Verdict::no_polkit, ""));
}

TEST_CASE("polkit's answer decides where it is there, for reading too") {
    CHECK(allows(Verdict::granted, "org.vireo.domain.write"));
    CHECK_FALSE(allows(Verdict::denied, "org.vireo.domain.read"));
    CHECK_FALSE(allows(Verdict::after_authentication, "org.vireo.domain.read"));
}

TEST_CASE("a verdict stands until the client leaves, unless a password could change it") {
    CHECK(lasts(Verdict::granted));
    CHECK(lasts(Verdict::denied));
    CHECK(lasts(Verdict::no_polkit));
    CHECK_FALSE(lasts(Verdict::after_authentication));
}

TEST_CASE("a refusal names the action and what to do") {
    const std::string action = "org.vireo.domain.write";
    CHECK(refusal(Verdict::denied, action) ==
          "polkit does not grant 'org.vireo.domain.write' to this caller");
    CHECK(refusal(Verdict::no_polkit, action).find("group 'libvirt'") != std::string::npos);
    CHECK(refusal(Verdict::after_authentication, action).find("authentication agent") !=
          std::string::npos);
}

TEST_CASE("a listening socket is found in the kernel's table") {
    constexpr std::string_view table =
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 54321 /run/vireo/qemud.sock\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 54322 /run/vireo/nodedevd.sock\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 54323 /x/run/vireo/storaged.sock\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 54324\n";
    CHECK(is_listening(table, "/run/vireo/qemud.sock"));
    CHECK_FALSE(is_listening(table, "/run/vireo/nodedevd.sock")); // an accepted connection
    CHECK_FALSE(is_listening(table, "/run/vireo/storaged.sock"));
    CHECK(is_listening(table, "/x/run/vireo/storaged.sock"));
    CHECK_FALSE(is_listening("", "/run/vireo/qemud.sock"));
}
