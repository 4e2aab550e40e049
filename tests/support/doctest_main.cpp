// SPDX-License-Identifier: LGPL-2.1-or-later
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/support/failures.hpp"

#include <doctest/doctest.h>

int main(int argc, char** argv) {
    doctest::Context context(argc, argv);
    const int status = context.run();
    // A filter that fits nothing is a mistake.
    return status == 0 && vireo::test::nothing_ran() ? 1 : status;
}
