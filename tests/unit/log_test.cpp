// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/log.hpp"
#include "tests/support/captured_errors.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace vireo;
using vireo::test::CapturedErrors;

namespace {

void log_each() {
    log::error("broken {}", 1);
    log::warning("odd");
    log::info("started '{}'", "vm1");
    log::debug("detail");
}

} // namespace

TEST_CASE("a line has the program, the severity and the function that logs") {
    const CapturedErrors errors;
    unsetenv("JOURNAL_STREAM");
    log::configure("vireo-testd", log::Level::info);
    log_each();
    CHECK(errors.text() == "vireo-testd: error: broken 1 [log_each]\n"
                           "vireo-testd: warning: odd [log_each]\n"
                           "vireo-testd: started 'vm1' [log_each]\n");
}

TEST_CASE("lines that are less severe than the limit are not printed, nor made") {
    const CapturedErrors errors;
    log::configure("vireo-testd", log::Level::error);
    log_each();
    CHECK(errors.text() == "vireo-testd: error: broken 1 [log_each]\n");
    CHECK_FALSE(log::enabled(log::Level::warning));
    log::configure("vireo-testd", log::Level::debug);
    log_each();
    CHECK(errors.text().ends_with("vireo-testd: debug: detail [log_each]\n"));
}

TEST_CASE("a journal stream that standard error is not does not count") {
    const CapturedErrors errors;
    setenv("JOURNAL_STREAM", "1:2", 1);
    log::configure("vireo-testd", log::Level::info);
    unsetenv("JOURNAL_STREAM");
    log::info("here");
    CHECK(errors.text().starts_with("vireo-testd: here ["));
}
