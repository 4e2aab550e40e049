// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/failures.hpp"

#include <doctest/doctest.h>

#include <exception>

namespace vireo::test {

namespace {

bool failed = false;
bool none = false;

/// doctest tells a listener what it does not let a test ask.
struct FailureListener : doctest::IReporter {
    explicit FailureListener(const doctest::ContextOptions&) {}

    void test_case_start(const doctest::TestCaseData&) override { failed = false; }

    void test_case_exception(const doctest::TestCaseException&) override { failed = true; }

    void log_assert(const doctest::AssertData& data) override { failed = failed || data.m_failed; }

    void log_message(const doctest::MessageData& data) override {
        failed = failed || data.m_severity != doctest::assertType::is_warn;
    }

    void report_query(const doctest::QueryData&) override {}

    void test_run_start() override {}

    void test_run_end(const doctest::TestRunStats& stats) override {
        none = stats.numTestCasesPassingFilters == 0;
    }

    void test_case_reenter(const doctest::TestCaseData&) override {}

    void test_case_end(const doctest::CurrentTestCaseStats&) override {}

    void subcase_start(const doctest::SubcaseSignature&) override {}

    void subcase_end() override {}

    void test_case_skipped(const doctest::TestCaseData&) override {}
};

DOCTEST_REGISTER_LISTENER("failures", 1, FailureListener);

} // namespace

bool test_has_failed() {
    return failed || std::uncaught_exceptions() > 0;
}

bool nothing_ran() {
    return none;
}

} // namespace vireo::test
