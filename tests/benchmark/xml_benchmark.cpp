// SPDX-License-Identifier: LGPL-2.1-or-later

// How long a domain's document takes to be read and written: the median of many rounds, in µs.
//
//     ninja -C build tests/benchmark/xml_benchmark && build/tests/benchmark/xml_benchmark

#include "libshared/xml/document.hpp"
#include "libshared/xml/parse.hpp"
#include "tests/support/xml_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace vireo;

namespace {

constexpr int rounds = 2000;

template <class Work>
double median_us(Work work) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        times.push_back(
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
                .count());
    }
    std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
    return times[rounds / 2];
}

/// As big as a usual domain's: some 3 KB.
sample::Domain usual_domain() {
    auto domain = xml::parse<sample::Domain>(sample::full_document);
    const std::vector<sample::Disk> disks = domain.disks;
    while (xml::format(domain).size() < 3000) {
        domain.disks.insert(domain.disks.end(), disks.begin(), disks.end());
    }
    return domain;
}

} // namespace

int main() {
    const sample::Domain domain = usual_domain();
    const std::string text = xml::format(domain);
    const auto elements = std::count(text.begin(), text.end(), '<');
    fmt::print("{} bytes, {} tags\n", text.size(), elements);
    fmt::print("scan and libxml2  {:6.1f} µs\n",
               median_us([&] { (void)xml::Document::parse(text); }));
    fmt::print("parse             {:6.1f} µs\n",
               median_us([&] { (void)xml::parse<sample::Domain>(text); }));
    fmt::print("format            {:6.1f} µs\n", median_us([&] { (void)xml::format(domain); }));
}
