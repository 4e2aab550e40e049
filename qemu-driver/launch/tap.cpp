// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/tap.hpp"

#include "libshared/error.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <net/if.h>

namespace vireo::qemu {

namespace {

void set_name(ifreq& request, const std::string& name) {
    if (name.size() >= sizeof request.ifr_name) {
        throw Error(ErrorCode::invalid_arg,
                    "network device name '{}' has {} bytes, at most {} are possible",
                    name,
                    name.size(),
                    sizeof request.ifr_name - 1);
    }
    std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
}

/// A bridge has the lowest of its members' MAC addresses: with the highest one, a guest that comes
/// or goes does not change it.
void stay_behind_others(int control, const std::string& name) {
    ifreq address{};
    set_name(address, name);
    check_errno(::ioctl(control, SIOCGIFHWADDR, &address),
                fmt::format("ask for the MAC address of '{}'", name));
    constexpr unsigned char highest_local = 0xfe;
    address.ifr_hwaddr.sa_data[0] = static_cast<char>(highest_local);
    check_errno(::ioctl(control, SIOCSIFHWADDR, &address),
                fmt::format("set the MAC address of '{}'", name));
}

} // namespace

Tap open_tap(const TapWish& wish) {
    const bool is_there = !wish.name.empty() && if_nametoindex(wish.name.c_str()) != 0;
    Fd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    check_errno(tap.get(), "open '/dev/net/tun'");
    ifreq request{};
    set_name(request, wish.name.empty() ? "vnet%d" : wish.name);
    int flags = IFF_TAP | IFF_NO_PI;
    flags |= wish.virtio_header ? IFF_VNET_HDR : 0;
    flags |= wish.multi_queue ? IFF_MULTI_QUEUE : 0;
    request.ifr_flags = static_cast<short>(flags);
    check_errno(::ioctl(tap.get(), TUNSETIFF, &request),
                fmt::format("open tap device '{}'", request.ifr_name));
    const std::string name = request.ifr_name;

    const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    check_errno(control.get(), "create a socket");
    if (!is_there) {
        stay_behind_others(control.get(), name);
    }
    if (!wish.bridge.empty()) {
        ifreq member{};
        set_name(member, wish.bridge);
        member.ifr_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
        check_errno(::ioctl(control.get(), SIOCBRADDIF, &member),
                    fmt::format("put '{}' into bridge '{}'", name, wish.bridge));
    }
    ifreq up{};
    set_name(up, name);
    check_errno(::ioctl(control.get(), SIOCGIFFLAGS, &up),
                fmt::format("ask for the flags of '{}'", name));
    up.ifr_flags = static_cast<short>(up.ifr_flags | IFF_UP);
    check_errno(::ioctl(control.get(), SIOCSIFFLAGS, &up), fmt::format("bring '{}' up", name));
    return Tap{std::move(tap), name};
}

} // namespace vireo::qemu
