// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/memory/pressure_watch.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace vireo::storage {

namespace {

constexpr std::string_view pressure_file = "/proc/pressure/memory";

/// Some task has waited for 100 ms within 2 s. Users other than root may set triggers of whole
/// multiples of 2 s alone.
constexpr std::string_view trigger = "some 100000 2000000";

Error refusal(const std::string& path, int error) {
    const std::string why = std::generic_category().message(error);
    if (error == EACCES || error == EPERM) {
        return Error(ErrorCode::access_denied,
                     "memory pressure cannot be watched: '{}': {}; it takes root, or a kernel from "
                     "6.4 on",
                     path,
                     why);
    }
    return Error(ErrorCode::operation_unsupported,
                 "memory pressure cannot be watched: '{}': {}; it takes a kernel with PSI "
                 "(CONFIG_PSI, and psi=1 on its command line where it is off by default)",
                 path,
                 why);
}

} // namespace

PressureWatch::PressureWatch(Loop& loop,
                             const std::string& prefix,
                             std::function<void()> stalled,
                             std::function<void(std::string why)> lost)
    : stalled_(std::move(stalled)), lost_(std::move(lost)), made_up_(!prefix.empty()) {
    const std::string path = prefix + std::string(pressure_file);
    fd_.reset(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd_) {
        throw refusal(path, errno);
    }
    // The kernel wants the NUL, too.
    const std::string text(trigger);
    if (!made_up_ && ::write(fd_.get(), text.c_str(), text.size() + 1) < 0) {
        throw refusal(path, errno);
    }
    sd_event_source* source = nullptr;
    const int added =
        sd_event_add_io(loop.get(),
                        &source,
                        fd_.get(),
                        made_up_ ? static_cast<uint32_t>(EPOLLIN) : static_cast<uint32_t>(EPOLLPRI),
                        &on_event,
                        this);
    if (added < 0) {
        throw refusal(path, -added);
    }
    source_.reset(source);
}

int PressureWatch::on_event(sd_event_source* source,
                            int fd,
                            uint32_t events,
                            void* context) noexcept {
    auto& self = *static_cast<PressureWatch*>(context);
    try {
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
            sd_event_source_set_enabled(source, SD_EVENT_OFF);
            self.lost_("the kernel has ended its memory pressure trigger");
            return 0;
        }
        char buffer[256];
        while (self.made_up_ && ::read(fd, buffer, sizeof buffer) > 0) {
        }
        self.stalled_();
    } catch (const std::exception& e) {
        log::error("memory pressure: {}", e.what());
    }
    return 0;
}

} // namespace vireo::storage
