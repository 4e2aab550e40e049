// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/queue.hpp"
#include "libshared/async/task.hpp"
#include "storage-driver/secrets/secret_def.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::storage {

struct Secret {
    SecretDef def;
    std::optional<std::vector<std::uint8_t>> value;
};

/// virSecretEventLifecycleType's numbers.
enum class SecretEvent : std::int32_t { defined = 0, undefined = 1 };

/// The secrets of this host: keys of encrypted images, passwords of storage servers. Each is two
/// files that only their owner reads, `UUID.xml` and `UUID.value` (its bytes); of an ephemeral one
/// there are none, and it ends with the daemon.
class Secrets {
  public:
    using Ptr = std::shared_ptr<Secret>;
    using Tell = std::function<void(const Secret& secret, SecretEvent event)>;

    /// Loads what is in `folder`. A file that cannot be read or makes no sense is named in the log
    /// and left as it is.
    Secrets(Loop& loop, std::string folder, Tell tell);

    const std::map<std::string, Ptr, std::less<>>& by_uuid() const noexcept { return secrets_; }

    /// With virConnectListAllSecretsFlags. Throws invalid_arg for others.
    std::vector<Ptr> list(std::uint32_t flags) const;

    /// Throw no_secret.
    Ptr get(std::string_view uuid) const;
    Ptr get_by_usage(std::int32_t type, std::string_view id) const;

    /// What it has must be kept by a process.
    bool only_in_memory() const;

    /// Stores the document of a new secret, or of one that is there, which keeps its value. Throws
    /// xml_error, operation_failed where another secret has that UUID or usage, operation_denied
    /// where a private one would be made public. Durable once it returns, as the two below.
    Task<Ptr> define(std::string xml, bool validate);
    Task<void> set_value(Ptr secret, std::vector<std::uint8_t> value);
    Task<void> undefine(Ptr secret);

  private:
    std::string document_path(const std::string& uuid) const;
    std::string value_path(const std::string& uuid) const;
    void load();
    void check_new(const SecretDef& def) const;
    void require(const Secret& secret) const;
    Task<void> save_value(std::string uuid, std::vector<std::uint8_t> value);
    Task<void> remove_files(std::string uuid);

    Loop& loop_;
    std::string folder_;
    Tell tell_;
    std::map<std::string, Ptr, std::less<>> secrets_;
    ChangeQueue changes_;
};

/// The value of a secret for whoever may see it. Throws operation_denied for a private one and
/// no_secret where none was set.
const std::vector<std::uint8_t>& value_for_client(const Secret& secret);
/// The same for a daemon of Vireo, which may use private ones.
const std::vector<std::uint8_t>& value_for_driver(const Secret& secret);

} // namespace vireo::storage
