// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/field.hpp"
#include "nodedev-driver/model/mediated_capability.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// The document of a device that is to be made: NodeDeviceCreateXML's.
namespace vireo::nodedev {

/// Below which device: its name, or the World Wide Names of a Fibre Channel adapter or its fabric.
struct NewDeviceParent {
    std::string name;
    std::string wwnn;
    std::string wwpn;
    std::string fabric_wwn;

    bool operator==(const NewDeviceParent&) const = default;
};

/// A virtual port of a Fibre Channel adapter; names that are empty are made up.
struct NewVport {
    Word<"fc_host"> type{};
    std::string wwnn;
    std::string wwpn;

    bool operator==(const NewVport&) const = default;
};

struct NewScsiHost {
    std::optional<NewVport> vport;

    bool operator==(const NewScsiHost&) const = default;
};

enum class NewDeviceKind { scsi_host, mdev };

struct NewDevice {
    NewDeviceParent parent;
    std::variant<NewScsiHost, MdevCapability> capability;

    bool operator==(const NewDevice&) const = default;
};

const xml::Type& describe(const NewDevice*);

/// Reads the document; its name and what else belongs to a device that is there already is passed
/// over, or a mistake where `strict`. Throws xml_error.
NewDevice parse_new_device(std::string_view text, bool strict);

/// Is it a World Wide Name, 16 hexadecimal digits?
bool is_wwn(std::string_view name);

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::NewDeviceKind> {
    static constexpr std::array<std::string_view, 2> names{"scsi_host", "mdev"};
};
