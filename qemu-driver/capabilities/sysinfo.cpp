// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/writer.hpp"
#include "qemu-driver/capabilities/host_info.hpp"

#include <array>

namespace vireo::qemu {

namespace {

struct Entry {
    const char* name;
    const char* file;
};

struct Section {
    const char* name;
    std::array<Entry, 7> entries;
};

/// libvirt's names and the kernel's. Source: drivers/firmware/dmi-id.c.
constexpr std::array<Section, 4> sections{{
    {"bios",
     {{{"vendor", "bios_vendor"},
       {"version", "bios_version"},
       {"date", "bios_date"},
       {"release", "bios_release"}}}},
    {"system",
     {{{"manufacturer", "sys_vendor"},
       {"product", "product_name"},
       {"version", "product_version"},
       {"serial", "product_serial"},
       {"uuid", "product_uuid"},
       {"sku", "product_sku"},
       {"family", "product_family"}}}},
    {"baseBoard",
     {{{"manufacturer", "board_vendor"},
       {"product", "board_name"},
       {"version", "board_version"},
       {"serial", "board_serial"},
       {"asset", "board_asset_tag"}}}},
    {"chassis",
     {{{"manufacturer", "chassis_vendor"},
       {"version", "chassis_version"},
       {"serial", "chassis_serial"},
       {"asset", "chassis_asset_tag"}}}},
}};

} // namespace

std::string sysinfo_xml(const Sysfs& sysfs) {
    const std::string dir = "/sys/class/dmi/id/";
    if (!sysfs.exists(dir)) {
        throw Error(ErrorCode::no_support, "this host has no SMBIOS tables in {}", dir);
    }
    xml::Writer out;
    out.open("sysinfo");
    out.attribute("type", "smbios");
    for (const Section& section : sections) {
        out.open(section.name);
        for (const Entry& entry : section.entries) {
            const auto value = entry.name ? sysfs.text(dir + entry.file) : std::nullopt;
            if (value && !value->empty()) {
                out.open("entry");
                out.attribute("name", entry.name);
                out.text(*value);
                out.close();
            }
        }
        if (out.empty_element()) {
            out.discard();
        } else {
            out.close();
        }
    }
    out.close();
    return out.take();
}

} // namespace vireo::qemu
