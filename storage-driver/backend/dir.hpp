// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/backend/backend.hpp"

namespace vireo::storage {

/// `<pool type='dir'>`: the files of a folder are the volumes.
class DirBackend : public Backend {
  public:
    void build(const PoolDef& pool) const override;
    void start(const PoolDef& pool) const override;
    PoolContents contents(const PoolDef& pool) const override;
    void remove(const PoolDef& pool) const override;
    VolumeDef volume(const PoolDef& pool, const std::string& name) const override;
    void remove_volume(const PoolDef& pool, const VolumeDef& volume) const override;
    std::string reserve(const PoolDef& pool, const VolumeDef& volume) const override;
    void publish(const PoolDef& pool,
                 const VolumeDef& volume,
                 const std::string& reserved) const override;
    void abandon(const std::string& reserved) const noexcept override;
    void clean_up(const PoolDef& pool) const override;
};

} // namespace vireo::storage
