// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vireo::tool {

/// What vireo-xml is asked on its command line.
struct Request {
    std::string verb;
    std::string kind;
    std::string file;
    std::string env;    // the host that a file describes; empty: this one
    std::string root;   // of an instance on this host; empty: the system's or the user's own
    std::string action; // what a node device's command is to do, or what becomes of `device`
    std::string device; // a file with the document of one device, to or of a running guest
    bool active = false;
    bool new_definition = false;
    bool generic = false;
    bool validate = false; // what no description knows is refused
};

/// A kind of document, and what can be asked of it: each is a file of its own, so that the drivers'
/// models do not meet.
struct Kind {
    std::string_view name;
    std::span<const std::string_view> verbs;
    /// Prints the answer. Throws what is wrong with the document.
    void (*run)(const Request& request);
};

extern const Kind disk_kind;
extern const Kind domain_kind;
extern const Kind mdev_list_kind;
extern const Kind nodedev_kind;
extern const Kind pool_kind;
extern const Kind volume_kind;

} // namespace vireo::tool
