// SPDX-License-Identifier: LGPL-2.1-or-later

// Whatever bytes come in, the XML reader refuses them with an xml_error or gives a struct; and a
// struct that it gave is written as a document that reads back as the same struct.
//
//     xml_reader_fuzz [--seconds N] [--seed S]     mutates its own seeds; the same S, the same
//     inputs xml_reader_fuzz FILE...                      tries these
//
// With -DVIREO_LIBFUZZER it is only LLVMFuzzerTestOneInput, for libFuzzer's own main.

#include "libshared/error.hpp"
#include "libshared/xml/parse.hpp"
#include "tests/support/xml_sample.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

using namespace vireo;

namespace {

constexpr xml::FormatOptions everything{.view = sample::secrets};

[[noreturn]] void broken(std::string_view what, std::string_view input, std::string_view output) {
    fmt::print(stderr, "{}\n--- input\n{}\n--- output\n{}\n", what, input, output);
    std::abort();
}

/// The error's text, or nothing where the input was read.
std::string try_once(std::string_view input, xml::Unknown unknown) {
    sample::Domain domain;
    try {
        domain = xml::parse<sample::Domain>(input, {.unknown = unknown});
    } catch (const Error& e) {
        if (e.code() != ErrorCode::xml_error) {
            broken(e.what(), input, "");
        }
        return e.what();
    }
    const std::string once = xml::format(domain, everything);
    std::string twice;
    try {
        const auto again = xml::parse<sample::Domain>(once);
        twice = xml::format(again, everything);
        if (!(again == domain)) {
            broken("the document that was written holds another struct", input, once);
        }
    } catch (const Error& e) {
        broken(fmt::format("the document that was written is refused: {}", e.what()), input, once);
    }
    if (once != twice) {
        broken("the document changes each time it is written", once, twice);
    }
    return {};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    (void)try_once(input, xml::Unknown::report);
    (void)try_once(input, xml::Unknown::refuse);
    return 0;
}

#ifndef VIREO_LIBFUZZER

namespace {

/// Pieces that hostile documents are made of.
const std::vector<std::string> tokens{"<",
                                      ">",
                                      "/>",
                                      "</",
                                      "'",
                                      "\"",
                                      "=",
                                      "&",
                                      ";",
                                      "&amp;",
                                      "&#0;",
                                      "&#x10FFFF;",
                                      "&#13;",
                                      "&e;",
                                      "<!--",
                                      "-->",
                                      "<![CDATA[",
                                      "]]>",
                                      "<?",
                                      "?>",
                                      "<?xml version='1.0' encoding='UTF-16'?>",
                                      "<!DOCTYPE a [",
                                      "<!ENTITY e 'x'>",
                                      "]>",
                                      " xmlns='u'",
                                      " xmlns:qemu='u'",
                                      " xmlns:p='u'",
                                      "<p:a/>",
                                      " xml:lang='de'",
                                      "<qemu:commandline>",
                                      "</qemu:commandline>",
                                      "<disk type='file'>",
                                      "<disk type='network'>",
                                      "</disk>",
                                      "<driver/>",
                                      "<source file='/x'/>",
                                      "<target dev='x'/>",
                                      "<backingStore>",
                                      "</backingStore>",
                                      "<acpi/>",
                                      "<metadata>",
                                      "</metadata>",
                                      "<password>p</password>",
                                      "<boot order='1'/>",
                                      "<serial type='tcp'>",
                                      "<serial type='none'/>",
                                      " unit='EiB'",
                                      " unit=''",
                                      "18446744073709551616",
                                      "-1",
                                      "0x",
                                      "\xC3",
                                      "\xC3\xA9",
                                      "\xEF\xBB\xBF",
                                      "\xEF\xBF\xBF",
                                      "\x01",
                                      std::string(1, '\0'),
                                      "\r\n",
                                      "\t",
                                      " "};

class Mutator {
  public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    std::string next() {
        std::string text = pick();
        do {
            change(text);
        } while (below(3) == 0);
        return text;
    }

    /// Keeps inputs that were read, or refused in a new way: what follows starts from them.
    void judge(std::string input, const std::string& refusal) {
        constexpr std::size_t most = 500;
        if (input.size() > 16 * 1024) {
            return;
        }
        if (refusal.empty()) {
            if (read_.size() < most) {
                read_.push_back(std::move(input));
            } else if (below(10) == 0) {
                read_[2 + below(most - 2)] = std::move(input); // the seeds stay
            }
            return;
        }
        std::string kind;
        for (const char c : refusal.substr(0, refusal.find(';'))) {
            if (c < '0' || c > '9') {
                kind += c;
            }
        }
        if (refused_.size() < most && seen_.insert(kind.substr(0, 80)).second) {
            refused_.push_back(std::move(input));
        }
    }

  private:
    std::size_t below(std::size_t end) {
        return end == 0 ? 0 : static_cast<std::size_t>(random_() % end);
    }

    const std::string& pick() {
        return below(8) == 0 && !refused_.empty() ? refused_[below(refused_.size())]
                                                  : read_[below(read_.size())];
    }

    /// A piece of `text`: mostly a whole element, or something in or between tags.
    std::pair<std::size_t, std::size_t> range(const std::string& text) {
        std::size_t begin = below(text.size());
        std::size_t length = 1 + below(below(4) == 0 ? text.size() : 40);
        const std::size_t tag = text.find('<', begin);
        if (below(4) != 0 && tag != text.npos) {
            begin = tag;
            const std::string name = text.substr(tag + 1, text.find_first_of(" />", tag) - tag - 1);
            std::size_t end = text.find('>', tag);
            if (end != text.npos && text[end - 1] != '/') {
                const std::size_t closing = text.find("</" + name + ">", end);
                end = closing == text.npos ? end : closing + name.size() + 2;
            }
            length = end == text.npos ? length : end + 1 - begin;
        }
        return {begin, std::min(length, text.size() - begin)};
    }

    void change(std::string& text) {
        const auto [begin, length] = range(text);
        const std::string piece = text.substr(begin, length);
        switch (below(8)) {
        case 0:
            text.erase(begin, length);
            break;
        case 1:
            text.insert(below(text.size() + 1), piece);
            break;
        case 2:
            text.insert(begin, tokens[below(tokens.size())]);
            break;
        case 3:
            text.replace(begin, length, tokens[below(tokens.size())]);
            break;
        case 4:
            if (!text.empty()) {
                text[begin] = static_cast<char>(random_());
            }
            break;
        case 5: {
            const std::string& other = pick();
            const auto [from, count] = range(other);
            text.insert(begin, other, from, count);
            break;
        }
        case 6:
            for (std::size_t times = below(below(20) == 0 ? 3000 : 5); times > 0; --times) {
                if (text.size() < 256 * 1024) {
                    text.insert(begin, piece);
                }
            }
            break;
        default: {
            const auto [other, count] = range(text);
            const std::string moved = text.substr(other, count);
            text.erase(other, count);
            text.insert(below(text.size() + 1), moved);
        }
        }
    }

    std::mt19937_64 random_;
    std::vector<std::string> read_{sample::full_document, sample::least_document};
    std::vector<std::string> refused_;
    std::set<std::string> seen_;
};

int usage() {
    fmt::print(stderr, "usage: xml_reader_fuzz [--seconds N] [--seed S] | FILE...\n");
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    std::uint64_t seconds = 10;
    std::uint64_t seed = 1;
    std::vector<std::string> files;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--seconds" || argument == "--seed") {
            if (++i == argc) {
                return usage();
            }
            (argument == "--seed" ? seed : seconds) = std::strtoull(argv[i], nullptr, 10);
        } else if (argument.starts_with("-")) {
            return usage();
        } else {
            files.push_back(argument);
        }
    }
    for (const std::string& file : files) {
        std::ifstream in(file, std::ios::binary);
        std::ostringstream bytes;
        bytes << in.rdbuf();
        const std::string input = bytes.str();
        LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(input.data()), input.size());
    }
    if (!files.empty()) {
        return 0;
    }
    if (!try_once(sample::full_document, xml::Unknown::refuse).empty()) {
        broken("the seed is refused", sample::full_document, "");
    }
    Mutator mutator(seed);
    std::uint64_t inputs = 0;
    std::uint64_t read = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < end) {
        std::string input = mutator.next();
        const std::string refusal =
            try_once(input, inputs % 2 == 0 ? xml::Unknown::report : xml::Unknown::refuse);
        read += refusal.empty() ? 1 : 0;
        ++inputs;
        mutator.judge(std::move(input), refusal);
    }
    fmt::print("seed {}: {} inputs, {} of them read and written back\n", seed, inputs, read);
    // A seed that finds nothing to read tests only refusals: then the mutations are broken.
    return inputs >= 1000 && read == 0 ? 1 : 0;
}

#endif
