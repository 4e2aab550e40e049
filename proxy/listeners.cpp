// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/listeners.hpp"

#include <algorithm>
#include <charconv>

namespace vireo::proxy {

namespace {

constexpr unsigned accepts_connections = 0x10000; // __SO_ACCEPTCON, linux/net.h

/// `Num RefCount Protocol Flags Type St Inode Path`, in hexadecimal but for the inode.
bool listens_at(std::string_view line, std::string_view path) {
    if (!line.ends_with(path) || line.size() == path.size() ||
        line[line.size() - path.size() - 1] != ' ') {
        return false;
    }
    std::string_view rest = line;
    for (int column = 0; column < 3; ++column) {
        rest.remove_prefix(std::min(rest.find(' '), rest.size()));
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    }
    unsigned flags = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), flags, 16);
    return (flags & accepts_connections) != 0;
}

} // namespace

bool is_listening(std::string_view table, std::string_view path) {
    while (!table.empty()) {
        const std::string_view line = table.substr(0, table.find('\n'));
        if (listens_at(line, path)) {
            return true;
        }
        table.remove_prefix(std::min(line.size() + 1, table.size()));
    }
    return false;
}

} // namespace vireo::proxy
