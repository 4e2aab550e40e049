// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/model/domain_document.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

/// Every domain document of the corpora says the same after it was read and written: what is
/// written, read and written again does not change. Skipped (77) where there are no corpora.
///
/// usage: round_trip FOLDER
namespace {

using namespace vireo::qemu;
namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return std::move(text).str();
}

/// The document as it is written after it was read; nothing if it is refused.
std::optional<std::string> written(const std::string& text, bool active) {
    const DomainView view{.active = active, .secure = true, .migratable = false};
    try {
        return format_domain(parse_domain(text, active), view);
    } catch (const vireo::Error&) {
        return std::nullopt;
    }
}

struct Count {
    unsigned passed = 0;
    unsigned failed = 0;
};

void check(const fs::path& path, Count& count) {
    for (const bool active : {false, true}) {
        const auto once = written(read_file(path), active);
        if (!once) {
            continue; // some documents are wrong on purpose
        }
        const auto twice = written(*once, active);
        if (twice == once) {
            ++count.passed;
            continue;
        }
        ++count.failed;
        std::printf("%s, %s: %s\n",
                    path.c_str(),
                    active ? "active" : "inactive",
                    twice ? "it changes each time it is written" : "what was written is refused");
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: round_trip FOLDER\n", stderr);
        return 2;
    }
    if (!fs::is_directory(argv[1])) {
        std::printf("skipped: %s is not there\n", argv[1]);
        return 77;
    }
    Count count;
    for (const fs::directory_entry& corpus : fs::directory_iterator(argv[1])) {
        const std::string name = corpus.path().filename();
        if ((!name.starts_with("domain-argv") && !name.starts_with("domain-xml")) ||
            !fs::is_directory(corpus.path() / "in")) {
            continue;
        }
        for (const fs::directory_entry& file : fs::directory_iterator(corpus.path() / "in")) {
            if (file.path().extension() == ".xml") {
                check(file.path(), count);
            }
        }
    }
    std::printf("%u passed, %u failed\n", count.passed, count.failed);
    return count.failed != 0 || count.passed == 0 ? 1 : 0;
}
