// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/files.hpp"
#include "storage-driver/model/pool_def.hpp"
#include "storage-driver/model/volume_def.hpp"
#include "tools/request.hpp"

#include <iostream>

namespace vireo::tool {

namespace {

using namespace storage;

constexpr std::string_view storage_verbs[] = {"check", "xml"};

/// Unknown elements are passed over, as libvirt does without VALIDATE; a check tells of them.
bool validates(const Request& request) {
    return request.verb == "check";
}

void run_pool(const Request& request) {
    const PoolDef pool = parse_pool(read_file(request.file), validates(request));
    if (request.verb == "xml") {
        std::cout << format_pool(pool);
    }
}

void run_volume(const Request& request) {
    const VolumeDef volume = parse_volume(read_file(request.file), validates(request));
    if (request.verb == "xml") {
        std::cout << format_volume(volume);
    }
}

} // namespace

constinit const Kind pool_kind{"pool", storage_verbs, &run_pool};
constinit const Kind volume_kind{"volume", storage_verbs, &run_volume};

} // namespace vireo::tool
