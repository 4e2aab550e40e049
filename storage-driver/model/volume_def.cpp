// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/model/volume_def.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "libshared/xml/parse.hpp"
#include "libshared/xml/problems.hpp"

#include <climits>

namespace vireo::storage {

namespace {

/// What libvirt does with a qcow2 target: features need version 3.
void complete_target(VolumeTarget& target) {
    target.timestamps.reset(); // how things are, not what is wanted
    if (target.features && !target.compat) {
        target.compat = "1.1";
    }
}

void check_volume(const VolumeDef& volume) {
    check_file_name("volume", volume.name);
    const auto& compat = volume.target.compat;
    if (compat && *compat != "0.10" && *compat != "1.1") {
        throw Error(ErrorCode::xml_error,
                    "volume '{}': compat {} is not one of 0.10, 1.1",
                    volume.name,
                    xml::quoted(*compat));
    }
    if (volume.backing && !volume.backing->path) {
        throw Error(ErrorCode::xml_error, "volume '{}': backingStore/path is missing", volume.name);
    }
    constexpr auto largest = static_cast<uint64_t>(INT64_MAX);
    if (volume.capacity.value_or(0) > largest || volume.allocation.value_or(0) > largest) {
        throw Error(ErrorCode::xml_error,
                    "volume '{}': capacity and allocation must be below {} bytes",
                    volume.name,
                    largest);
    }
}

} // namespace

void check_file_name(std::string_view kind, std::string_view name) {
    const auto refuse = [&](std::string_view why) {
        throw Error(ErrorCode::xml_error, "{} name {} {}", kind, xml::quoted(name), why);
    };
    if (name.empty()) {
        refuse("is empty");
    }
    // Room is left for what is put before and behind it in the names of files.
    constexpr size_t longest = NAME_MAX - 32;
    if (name.size() > longest) {
        refuse(fmt::format("has {} bytes, at most {} are allowed", name.size(), longest));
    }
    if (name.find('/') != std::string_view::npos) {
        refuse("contains '/'");
    }
    if (name.find('\n') != std::string_view::npos) {
        refuse("contains a line break");
    }
    if (name == "." || name == "..") {
        refuse("is a folder's own");
    }
}

VolumeDef parse_volume(std::string_view text, bool validate) {
    xml::Problems unknowns;
    xml::ParseOptions options;
    options.unknown = validate ? xml::Unknown::refuse : xml::Unknown::report;
    options.unknowns = &unknowns;
    VolumeDef volume = xml::parse<VolumeDef>(text, options);
    complete_target(volume.target);
    check_volume(volume);
    if (!unknowns.empty()) {
        log::warning(
            "volume '{}': passed over what is not known: {}", volume.name, unknowns.text());
    }
    return volume;
}

std::string format_volume(const VolumeDef& volume) {
    VolumeDef shown = volume;
    shown.capacity = volume.capacity.value_or(0);
    shown.allocation = volume.allocation.value_or(*shown.capacity);
    return xml::format(shown);
}

} // namespace vireo::storage
