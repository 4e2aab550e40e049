// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/run.hpp"
#include "qemu-driver/service.hpp"

int main(int argc, char** argv) {
    const vireo::DaemonInfo info{.name = "vireo-qemud", .socket = "qemud.sock"};
    return vireo::run_daemon(info, argc, argv, [](vireo::Context& context) {
        return std::make_unique<vireo::qemu::QemuService>(context);
    });
}
