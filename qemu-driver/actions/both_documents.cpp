// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/both_documents.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu::actions {

Task<void> store_or(Driver& driver, DomainPtr domain, Definition def, TakeBack take_back) {
    if (!def) {
        co_return;
    }
    std::exception_ptr failure;
    try {
        co_await store_definition(driver, domain, std::move(def));
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) {
        co_return;
    }
    if (take_back) {
        auto undoing = take_back();
        try {
            co_await std::move(undoing);
        } catch (const Error& e) {
            log::error("domain '{}': its definition could not be written, and its running guest "
                       "could not be changed back: {}",
                       domain->name,
                       e.what());
        }
    }
    std::rethrow_exception(failure);
}

} // namespace vireo::qemu::actions
