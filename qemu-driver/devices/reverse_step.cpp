// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/reverse_step.hpp"

#include <array>

namespace vireo::qemu {

namespace {

struct Reverse {
    std::string_view of;
    const char* command;
    const char* key;
};

constexpr std::array reverses{
    Reverse{"object-add", "object-del", "id"},
    Reverse{"blockdev-add", "blockdev-del", "node-name"},
    Reverse{"netdev_add", "netdev_del", "id"},
    Reverse{"chardev-add", "chardev-remove", "id"},
};

const Reverse* reverse_of(const Step& step) {
    for (const Reverse& reverse : reverses) {
        if (reverse.of == step.command) {
            return &reverse;
        }
    }
    return nullptr;
}

} // namespace

const char* reverse_command(const Step& step) {
    const Reverse* reverse = reverse_of(step);
    return reverse == nullptr ? nullptr : reverse->command;
}

const char* reverse_key(const Step& step) {
    const Reverse* reverse = reverse_of(step);
    return reverse == nullptr ? nullptr : reverse->key;
}

} // namespace vireo::qemu
