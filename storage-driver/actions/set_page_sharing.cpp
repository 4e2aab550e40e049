// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/actions/set_page_sharing.hpp"

#include "libshared/async/offload.hpp"
#include "storage-driver/memory/page_sharing.hpp"

namespace vireo::storage::actions {

Task<void> set_page_sharing(Loop& loop, std::string host, PageSharingValues values) {
    for (const auto& [name, value] : values) {
        check_page_sharing(host, name, value);
    }
    std::function<void()> work = [host, values] {
        for (const auto& [name, value] : values) {
            storage::set_page_sharing(host, name, value);
        }
    };
    co_await Offload<void>(loop, std::move(work));
}

} // namespace vireo::storage::actions
