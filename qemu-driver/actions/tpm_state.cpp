// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/tpm_state.hpp"

#include "libshared/async/offload.hpp"
#include "qemu-driver/launch/helpers.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace vireo::qemu::actions {

std::string tpm_state(const Driver& driver, const Domain& domain) {
    std::string folder = tpm_state_of(driver.ctx.options.directories.state, domain.uuid);
    return ::access(folder.c_str(), F_OK) == 0 ? folder : std::string();
}

bool keeps_tpm_state(const DomainDef& def) {
    return std::ranges::any_of(def.devices.tpms, [](const TpmDef& tpm) {
        const auto* emulator = std::get_if<EmulatorTpm>(&tpm.backend);
        return emulator != nullptr && emulator->persistent_state == YesNo::yes;
    });
}

Task<void> remove_tpm_state(Driver& driver, std::string folder) {
    std::function<void()> remove = [folder = std::move(folder)] {
        std::filesystem::remove_all(folder);
    };
    co_await Offload<void>(driver.ctx.loop, std::move(remove));
}

} // namespace vireo::qemu::actions
