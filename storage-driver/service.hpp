// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "storage-driver/guests/guest_follower.hpp"
#include "storage-driver/policy/memory_governor.hpp"
#include "storage-driver/secrets/secrets.hpp"
#include "storage-driver/storage.hpp"

#include <string>

namespace vireo::storage {

/// Storage pools, their volumes, secrets and the host's memory on D-Bus.
class StorageService : public Service {
  public:
    explicit StorageService(Context& context);

    /// Open calls keep it, a memory policy that is on, and secrets that are in no file.
    bool idle() const override {
        return !governor_.settings().enabled && !secrets_.only_in_memory();
    }

    void started() override;

  private:
    void load();
    void wait_for_guests();
    void serve();
    void serve_memory();
    void tell_of_promises();
    MemoryGovernor::Events governor_events();

    Context& context_;
    Storage storage_;
    Secrets secrets_;
    GuestFollower follower_;
    MemoryGovernor governor_;
    std::vector<PromiseRow> told_promises_;
    GuestKnowledge told_knowledge_ = GuestKnowledge::unknown;
};

} // namespace vireo::storage
