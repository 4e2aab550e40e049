// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace vireo::qemu {

/// A view on the reply of `query-qmp-schema`, whose types have meaningless names: things are
/// found by walking from a command's arguments. It keeps a reference to the JSON it was given.
/// Source: QEMU, "QAPI introspection" in docs/devel/qapi-code-gen.rst.
class SchemaView {
  public:
    explicit SchemaView(const nlohmann::json& schema);

    /// Names of all commands.
    StringSet commands() const;
    /// The values of the enumeration at `path`, starting at the arguments ("chardev-add" ...) or
    /// with `from_return` at the result of `command`. A step is a member's name, or "+value" for
    /// the variant that the object's tag selects. Empty when QEMU has no such command or path.
    StringSet enum_values(std::string_view command,
                          const std::vector<std::string_view>& path,
                          bool from_return = false) const;

  private:
    const nlohmann::json* entity(std::string_view name) const;
    const nlohmann::json* member(const nlohmann::json& object, std::string_view step) const;

    std::map<std::string_view, const nlohmann::json*> entities_;
};

} // namespace vireo::qemu
