// SPDX-License-Identifier: LGPL-2.1-or-later
// What most unit tests include, read once for all of them.
#include "libshared/bus/codec.hpp"
#include "libshared/error.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>
