// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/run.hpp"
#include "proxy/service.hpp"

int main(int argc, char** argv) {
    const vireo::DaemonInfo info{.name = "vireo-proxyd", .socket = ""};
    return vireo::run_daemon(info, argc, argv, [](vireo::Context& ctx) {
        return std::make_unique<vireo::proxy::ProxyService>(ctx);
    });
}
