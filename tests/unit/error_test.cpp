// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

using namespace vireo;

namespace {

/// The codes as the header lists them: an enum cannot be walked.
std::set<int> declared_codes() {
    std::ifstream file(test::source_dir() / "libshared/error.hpp");
    std::stringstream text;
    text << file.rdbuf();
    std::string source = text.str();
    source = source.substr(source.find("enum class ErrorCode"));
    source = source.substr(0, source.find("};"));
    std::set<int> codes;
    const std::regex entry(R"([a-z_]+ = (\d+),)");
    for (std::sregex_iterator it(source.begin(), source.end(), entry), end; it != end; ++it) {
        codes.insert(std::stoi((*it)[1]));
    }
    return codes;
}

} // namespace

TEST_CASE("every error code is in the table exactly once, with a name of its own") {
    std::set<int> codes;
    std::set<std::string> names;
    for (const ErrorKind& kind : error_kinds()) {
        CHECK(codes.insert(static_cast<int>(kind.code)).second);
        CHECK(names.insert(kind.native_name).second);
        CHECK(std::string(kind.native_name).starts_with("org.vireo.Error."));
        CHECK(&error_kind(kind.code) == &kind);
    }
    CHECK(codes == declared_codes());
    CHECK(error_kind(static_cast<ErrorCode>(9999)).code == ErrorCode::internal);
}

TEST_CASE("the phrases that clients match on are libvirt's") {
    const auto phrased = [](ErrorCode code) { return Error(code, "x").phrased(); };
    CHECK(phrased(ErrorCode::internal) == "internal error: x");
    CHECK(phrased(ErrorCode::no_support) ==
          "this function is not supported by the connection driver: x");
    CHECK(phrased(ErrorCode::invalid_arg) == "invalid argument: x");
    CHECK(phrased(ErrorCode::operation_failed) == "operation failed: x");
    CHECK(phrased(ErrorCode::xml_error) == "XML error: x");
    CHECK(phrased(ErrorCode::operation_denied) == "operation forbidden: x");
    CHECK(phrased(ErrorCode::no_domain) == "Domain not found: x");
    CHECK(phrased(ErrorCode::no_network) == "Network not found: x");
    CHECK(phrased(ErrorCode::auth_failed) == "authentication failed: x");
    CHECK(phrased(ErrorCode::no_storage_pool) == "Storage pool not found: x");
    CHECK(phrased(ErrorCode::no_storage_vol) == "Storage volume not found: x");
    CHECK(phrased(ErrorCode::no_node_device) == "Node device not found: x");
    CHECK(phrased(ErrorCode::operation_invalid) == "Requested operation is not valid: x");
    CHECK(phrased(ErrorCode::no_interface) == "Interface not found: x");
    CHECK(phrased(ErrorCode::no_nwfilter) == "Network filter not found: x");
    CHECK(phrased(ErrorCode::no_secret) == "Secret not found: x");
    CHECK(phrased(ErrorCode::config_unsupported) == "unsupported configuration: x");
    CHECK(phrased(ErrorCode::operation_timeout) == "Timed out during operation: x");
    CHECK(phrased(ErrorCode::no_domain_snapshot) == "Domain snapshot not found: x");
    CHECK(phrased(ErrorCode::argument_unsupported) == "argument unsupported: x");
    CHECK(phrased(ErrorCode::storage_pool_built) == "Storage pool already built: x");
    CHECK(phrased(ErrorCode::operation_aborted) == "operation aborted: x");
    CHECK(phrased(ErrorCode::no_domain_metadata) == "metadata not found: x");
    CHECK(phrased(ErrorCode::overflow) == "numerical overflow: x");
    CHECK(phrased(ErrorCode::operation_unsupported) == "Operation not supported: x");
    CHECK(phrased(ErrorCode::agent_unresponsive) == "Guest agent is not responding: x");
    CHECK(phrased(ErrorCode::resource_busy) == "resource busy: x");
    CHECK(phrased(ErrorCode::access_denied) == "access denied: x");
    CHECK(phrased(ErrorCode::device_missing) == "device not found: x");
    CHECK(phrased(ErrorCode::system_error) == "x");
    // These put what they speak of into the phrase.
    CHECK(phrased(ErrorCode::no_connect) == "no connection driver available for x");
    CHECK(phrased(ErrorCode::domain_exists) == "domain x exists already");
    CHECK(phrased(ErrorCode::storage_vol_exists) == "storage volume x exists already");
}

TEST_CASE("a step is put before the message, once per layer") {
    Error error(ErrorCode::no_domain, "no domain '{}'", "x{}");
    error.within("look up").within("start");
    CHECK(std::string(error.what()) == "start: look up: no domain 'x{}'");
    CHECK(error.phrased() == "Domain not found: start: look up: no domain 'x{}'");
}

TEST_CASE("negative results become errors with the system's text, others pass") {
    CHECK(check(5, "read") == 5);
    CHECK(check(0, "read") == 0);
    CHECK_THROWS_WITH_AS(check(-ENOENT, "open 'x'"), "open 'x': No such file or directory", Error);
    errno = EACCES;
    CHECK_THROWS_WITH_AS(check_errno(-1, "open 'x'"), "open 'x': Permission denied", Error);
    CHECK(check_errno(3, "open") == 3);
}
