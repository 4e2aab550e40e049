// SPDX-License-Identifier: LGPL-2.1-or-later
// What most integration tests include, read once for all of them.
#include "tests/support/client.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>
