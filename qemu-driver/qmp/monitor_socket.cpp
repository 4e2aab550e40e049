// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/qmp/monitor_socket.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"

#include <fcntl.h>
#include <sys/un.h>

namespace vireo::qemu::qmp {

namespace {

/// A name for `path` that fits into a socket address, as long as this lives (unix(7): 107 bytes).
class ShortName {
  public:
    explicit ShortName(const std::string& path) : text_(path) {
        if (path.size() < sizeof(sockaddr_un::sun_path)) {
            return;
        }
        const auto slash = path.rfind('/');
        if (slash == std::string::npos) {
            return; // listen_unix() refuses it
        }
        folder_.reset(::open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        check_errno(folder_.get(), fmt::format("open the folder of '{}'", path));
        text_ = fmt::format("/proc/self/fd/{}{}", folder_.get(), path.substr(slash));
    }

    const std::string& text() const noexcept { return text_; }

  private:
    Fd folder_;
    std::string text_;
};

} // namespace

Fd listen_on_monitor(const std::string& path) try {
    const ShortName name(path);
    return listen_unix(name.text());

} catch (Error& e) {

    throw e.within(fmt::format("make the monitor socket '{}'", path));
}

Fd connect_to_monitor(const std::string& path) try {
    const ShortName name(path);
    return connect_unix(name.text());

} catch (Error& e) {

    throw e.within(fmt::format("connect to the monitor '{}'", path));
}

} // namespace vireo::qemu::qmp
