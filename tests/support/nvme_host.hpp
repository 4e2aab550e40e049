// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/device_tree.hpp"
#include "tests/support/made_up_kernel.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace vireo::test {

/// A host with two NVMe drives, each alone in its IOMMU group and held by the kernel's nvme driver:
/// `0000:01:00.0` with namespaces 1 and 2, `0000:02:00.0` with namespace 1. This process may raise
/// its limit of locked memory there.
class NvmeHost {
  public:
    static constexpr const char* first = "0000:01:00.0";
    static constexpr const char* second = "0000:02:00.0";

    NvmeHost() {
        add_drive(first, 0, 2, "7");
        add_drive(second, 1, 1, "8");
        host.write("/proc/self/status", "Name:\tvireo-qemud\nCapEff:\t0000000001000000\n");
        host.write(
            "/proc/self/limits",
            "Max locked memory         8388608              8388608              bytes     \n");
    }

    /// The daemons' setting.
    std::string setting() const { return "VIREO_HOST_TREE=" + host.root().string(); }

    static std::string path(const std::string& slot) { return pci_bus + "/" + slot; }

    /// The driver that has the function.
    std::string driver(const std::string& slot = first) const {
        std::error_code none;
        return std::filesystem::read_symlink(host.at(path(slot) + "/driver"), none).filename();
    }

    void mount(const std::string& folder) {
        host.write("/proc/1/mountinfo", "36 1 259:1 / " + folder + " rw - ext4 /dev/nvme0n1 rw\n");
    }

    HostTree host;
    MadeUpKernel kernel{host, {"nvme", "vfio-pci"}, {{first, "nvme"}, {second, "nvme"}}};

  private:
    void add_drive(const std::string& slot,
                   unsigned number,
                   unsigned namespaces,
                   const std::string& group) {
        const std::string function = add_nvme_controller(host, slot, number);
        for (unsigned id = 1; id <= namespaces; ++id) {
            add_namespace(host, function + "/nvme/nvme" + std::to_string(number), number, id);
        }
        const std::string folder = "/sys/kernel/iommu_groups/" + group;
        host.link(function + "/iommu_group", folder);
        host.link(folder + "/devices/" + slot, function);
        host.write(function + "/driver_override", "(null)\n");
        kernel.bind(function, "nvme");
    }
};

/// A QEMU for hosts without VFIO: the machine's own, whose NVMe namespaces are files in `folder`,
/// one of 1 MiB for each.
inline std::string make_nvme_emulator(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    const std::filesystem::path program = folder / "qemu-nvme";
    std::ofstream(program)
        << "#!/bin/bash\n"
           "words=()\n"
           "for word in \"$@\"; do\n"
           "  if [[ $word == *'\"driver\":\"nvme\"'* ]]; then\n"
           "    device=$(sed -E 's|.*\"device\":\"([^\"]*)\".*|\\1|; s|:|-|g' <<<\"$word\")\n"
           "    space=$(sed -E 's|.*\"namespace\":([0-9]+).*|\\1|' <<<\"$word\")\n"
           "    medium="
        << folder.string()
        << "/nvme-$device-n$space.img\n"
           "    truncate -s 1M \"$medium\"\n"
           "    word=$(sed -E \"s|\\\"device\\\":\\\"[^\\\"]*\\\",||; "
           "s|\\\"namespace\\\":[0-9]+,||; "
           "s|\\\"driver\\\":\\\"nvme\\\"|\\\"driver\\\":\\\"file\\\",\\\"filename\\\":"
           "\\\"$medium\\\"|\" <<<\"$word\")\n"
           "  fi\n"
           "  words+=(\"$word\")\n"
           "done\n"
           "exec qemu-system-x86_64 \"${words[@]}\"\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return program;
}

} // namespace vireo::test
