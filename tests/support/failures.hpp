// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace vireo::test {

/// True once a check of the running test case has failed or an exception has left it.
bool test_has_failed();

/// True where the run has ended without a single test case.
bool nothing_ran();

} // namespace vireo::test
