// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/host_memory_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "storage-driver/actions/allocate_pages.hpp"

namespace vireo::storage {

std::vector<HostMemoryInterface::Cell> HostMemoryInterface::cells() const {
    std::vector<Cell> rows;
    for (const MemoryCell& cell : memory_cells(host_)) {
        rows.emplace_back(cell.number, cell.total, cell.free);
    }
    return rows;
}

std::vector<HostMemoryInterface::Pool> HostMemoryInterface::huge_pages() const {
    std::vector<Pool> rows;
    for (const HugePagePool& pool : huge_page_pools(host_)) {
        rows.emplace_back(pool.cell, pool.page_size, pool.total, pool.free, pool.surplus);
    }
    return rows;
}

std::vector<HostMemoryInterface::Reserved> HostMemoryInterface::huge_pages_reserved() const {
    const auto reserved = reserved_huge_pages(host_);
    return {reserved.begin(), reserved.end()};
}

std::vector<PromiseRow> HostMemoryInterface::promises() const {
    follower_.wake();
    return sum_of_promises(follower_.guests());
}

std::string HostMemoryInterface::promises_state() const {
    return std::string(name_of(follower_.knowledge()));
}

Task<HostMemoryInterface::Change> HostMemoryInterface::allocate_pages(int32_t cell,
                                                                      uint64_t page_size,
                                                                      uint64_t pages,
                                                                      std::string how) {
    const PoolChange change = co_await actions::allocate_pages(
        tasks_.loop(), host_, cell, page_size, pages, std::move(how));
    co_return Change(static_cast<int64_t>(change.total - change.before), change.total);
}

constexpr sd_bus_vtable host_memory_vtable[] = {
    bus::start(),
    bus::property<&HostMemoryInterface::cells>("Cells"),
    bus::property<&HostMemoryInterface::huge_pages>("HugePages"),
    bus::property<&HostMemoryInterface::huge_pages_reserved>("HugePagesReserved"),
    bus::property<&HostMemoryInterface::promises>("Promises", bus::Changes::emits),
    bus::property<&HostMemoryInterface::promises_state>("PromisesState", bus::Changes::emits),
    bus::
        method<&HostMemoryInterface::allocate_pages, "cell", "page_size", "pages", "how", "result">(
            "AllocatePages"),
    bus::end(),
};

} // namespace vireo::storage
