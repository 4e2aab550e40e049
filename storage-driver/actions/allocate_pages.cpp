// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/actions/allocate_pages.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"

namespace vireo::storage::actions {

namespace {

constexpr int32_t whole_host = -1;

PageChange change_named(const std::string& how) {
    if (how == "set") {
        return PageChange::set;
    }
    if (how == "add") {
        return PageChange::add;
    }
    throw Error(ErrorCode::invalid_arg, "how: '{}' is not one of set, add", how);
}

} // namespace

Task<PoolChange> allocate_pages(
    Loop& loop, Sysfs host, int32_t cell, uint64_t page_size, uint64_t pages, std::string how) {
    const PageChange change = change_named(how);
    if (cell < whole_host) {
        throw Error(ErrorCode::invalid_arg,
                    "no NUMA cell {} on this host; -1 stands for all cells together",
                    cell);
    }
    std::optional<uint32_t> number;
    if (cell != whole_host) {
        number = static_cast<uint32_t>(cell);
    }
    std::function<PoolChange()> work = [=] {
        return change_huge_pages(host, number, page_size, pages, change);
    };
    const PoolChange done = co_await Offload<PoolChange>(loop, std::move(work));
    log::info("huge pages of {} KiB in {}: {} {} wanted, from {} to {}",
              page_size / 1024,
              number ? fmt::format("cell {}", *number) : std::string("all cells"),
              pages,
              change == PageChange::add ? "more" : "altogether",
              done.before,
              done.total);
    co_return done;
}

} // namespace vireo::storage::actions
