// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/guest_scope.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::qemu;

namespace {

constexpr const char* uuid = "6a1e0c2d-8a5f-4f0e-9d55-0d6a1c1b2e3f";

} // namespace

TEST_CASE("a guest's scope has its id and its name") {
    CHECK(scope_of(3, "debian-12.5", uuid) == "vireo-guest-3-debian-12.5.scope");
}

TEST_CASE("a byte that no unit's name may have is escaped") {
    CHECK(scope_of(1, "a b/c@d", uuid) == "vireo-guest-1-a\\x20b\\x2fc\\x40d.scope");
    CHECK(scope_of(1, "\xc3\xa4", uuid) == "vireo-guest-1-\\xc3\\xa4.scope");
}

TEST_CASE("a guest with too long a name has its UUID there") {
    const std::string fits(255 - std::string("vireo-guest-7-.scope").size(), 'n');
    CHECK(scope_of(7, fits, uuid) == "vireo-guest-7-" + fits + ".scope");
    CHECK(scope_of(7, fits + "n", uuid) == "vireo-guest-7-" + std::string(uuid) + ".scope");
}

TEST_CASE("an instance of its own and a session ask systemd for nothing") {
    Options options;
    options.root = "/tmp/somewhere";
    CHECK_FALSE(has_guest_scopes(options));
    options.root.clear();
    options.session = true;
    CHECK_FALSE(has_guest_scopes(options));
}
