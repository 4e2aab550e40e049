// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/benchmark/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace vireo::benchmark {

namespace {

std::vector<std::string> missed;

std::string number(const std::optional<double>& value) {
    if (!value) {
        return "";
    }
    return *value >= 100 ? fmt::format("{:.0f}", *value) : fmt::format("{:.2f}", *value);
}

std::string bounds(const Figure& figure) {
    std::vector<std::string> all;
    if (figure.most) {
        all.push_back("<= " + number(figure.most));
    }
    if (figure.least) {
        all.push_back(">= " + number(figure.least));
    }
    if (figure.ratio && figure.theirs) {
        all.push_back(fmt::format("<= {} x", number(figure.ratio)));
    }
    return fmt::format("{}", fmt::join(all, ", "));
}

std::string share(const Figure& figure) {
    return figure.theirs ? fmt::format("{:.3f}", figure.ours / *figure.theirs) : "";
}

bool kept(const Figure& figure) {
    return !(figure.most && figure.ours > *figure.most) &&
           !(figure.least && figure.ours < *figure.least) &&
           !(figure.ratio && figure.theirs && figure.ours > *figure.ratio * *figure.theirs);
}

void print_line(const std::string& what,
                const std::string& ours,
                const std::string& theirs,
                const std::string& share,
                const std::string& bounds,
                const std::string& verdict) {
    std::puts(
        fmt::format(
            "{:<52} {:>10} {:>10} {:>8}  {:<20} {}", what, ours, theirs, share, bounds, verdict)
            .c_str());
    std::fflush(stdout);
}

} // namespace

double milliseconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double median_milliseconds(int count, const std::function<void()>& work) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) {
        values.push_back(milliseconds(work));
    }
    return median(values);
}

void record(const Figure& figure) {
    static bool begun = false;
    if (!begun) {
        print_line("", "Vireo", "libvirt", "share", "bound", "");
        begun = true;
    }
    const bool fine = kept(figure);
    print_line(fmt::format("{}, {}", figure.what, figure.unit),
               number(figure.ours),
               number(figure.theirs),
               share(figure),
               bounds(figure),
               fine ? "" : "MISSED");
    if (!fine) {
        missed.push_back(figure.what);
    }
}

std::vector<std::string> take_missed() {
    return std::exchange(missed, {});
}

} // namespace vireo::benchmark
