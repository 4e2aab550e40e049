// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/storaged.hpp"

namespace vireo::qemu {

Task<bus::ObjectPath> look_up(DriverCaller::ConnectionPtr storaged,
                              std::string path,
                              std::string interface,
                              std::string member,
                              std::string name) {
    const bus::Message reply =
        co_await driver_call(storaged, storaged_limit, path, interface, member, name);
    co_return bus::read<bus::ObjectPath>(reply.get());
}

} // namespace vireo::qemu
