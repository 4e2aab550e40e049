// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vireo::benchmark {

/// Runs the work once and gives the milliseconds that it took.
double milliseconds(const std::function<void()>& work);

/// The median of the values; there must be one.
double median(std::vector<double> values);

/// The median of the milliseconds of `count` runs.
double median_milliseconds(int count, const std::function<void()>& work);

/// One measured figure beside what it is held against. What is absent does not count.
struct Figure {
    std::string what;
    std::string unit;
    double ours = 0;
    std::optional<double> theirs = std::nullopt; ///< libvirt's, in the same run
    std::optional<double> most = std::nullopt;   ///< ours must not be above it
    std::optional<double> least = std::nullopt;  ///< ours must not be below it
    std::optional<double> ratio = std::nullopt;  ///< ours must not be above this share of theirs
};

/// Prints the figure as a line of the table, the first one of the program below the table's head,
/// and remembers it where a bound is missed.
void record(const Figure& figure);

/// What was measured and missed a bound since the last call.
std::vector<std::string> take_missed();

} // namespace vireo::benchmark
