// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "storage-driver/storage.hpp"

#include <string>

namespace vireo::storage {

/// Storage pools, their volumes and the host's memory on D-Bus.
class StorageService : public Service {
  public:
    explicit StorageService(Context& context);

    /// Open calls alone keep it: which pools run stands in files.
    bool idle() const override { return true; }

    void started() override;

  private:
    void load();
    void serve();

    Context& context_;
    Storage storage_;
};

} // namespace vireo::storage
