// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/audio_def.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

/// What the passes need to know of the host, the QEMU binary and the driver's settings. A value
/// that is handed in: no pass looks anything up by itself, so a document means the same in a test,
/// in `vireo-xml --env` and in the daemon.
namespace vireo::qemu {

struct QemuCapabilities;

/// One huge page size of the host and where its pages are mounted.
struct HugePageMount {
    uint64_t size_kib{};
    std::string path;
    bool is_default{};
};

/// One firmware descriptor (QEMU's docs/interop/firmware.json), in order of precedence.
struct FirmwareFacts {
    /// Of `interface-types`: "bios", "uefi".
    std::vector<std::string> interfaces;
    /// "flash", "kernel" or "memory".
    std::string device;
    /// flash: "split", "combined", "stateless".
    std::string mode;
    std::string executable;
    std::string executable_format;
    std::string nvram_template;
    std::string nvram_format;

    struct Target {
        std::string arch;
        /// Shell patterns: `pc-q35-*`.
        std::vector<std::string> machines;
    };

    std::vector<Target> targets;
    std::set<std::string> features;
};

struct HostFacts {
    /// libvirt's name of the host's architecture: `x86_64`.
    std::string arch;
    /// Emulator by guest architecture, where the document names none.
    std::map<std::string, std::string> emulators;
    bool kvm{};
    bool tcg{true};
    uint64_t page_kib{4};
    /// Of a transparent huge page.
    uint64_t huge_pmd_kib{2048};
    std::vector<HugePageMount> huge_pages;

    /// What the emulator of this guest can do. Never null.
    std::shared_ptr<const QemuCapabilities> qemu;
    /// An alias in `<os><type machine=>` is replaced by the machine's own name, so that a guest
    /// keeps its machine when QEMU is upgraded.
    bool expand_machine_aliases{true};

    std::vector<FirmwareFacts> firmware;

    // Settings of the driver.
    std::string nvram_dir;
    /// Model of `<seclabel>` elements that name none.
    std::string security_driver{"none"};
    std::string vnc_listen{"127.0.0.1"};
    std::string spice_listen{"127.0.0.1"};
    bool vnc_auto_unix_socket{};
    bool spice_auto_unix_socket{};
    bool vnc_allow_host_audio{};
    bool nographics_allow_host_audio{};
    /// Where the host plays sound, for the two above; none: nowhere.
    std::optional<AudioType> host_audio;

    /// Fills its argument with random bytes (UUIDs, MAC addresses).
    std::function<void(std::span<uint8_t>)> random_bytes;
};

} // namespace vireo::qemu
