// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/qmp/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace vireo::qemu::qmp {

namespace {

ssize_t send_part(int socket, const char* data, std::size_t size, int descriptor) noexcept {
    iovec part{const_cast<char*>(data), size};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    if (descriptor >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

} // namespace

void Outbox::add(std::string text, Fd descriptor) {
    queue_.push_back(Item{std::move(text), std::move(descriptor)});
}

int Outbox::flush(int socket) noexcept {
    while (!queue_.empty()) {
        Item& item = queue_.front();
        const ssize_t size = send_part(socket,
                                       item.text.data() + item.sent,
                                       item.text.size() - item.sent,
                                       item.descriptor.get());
        if (size < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0 : -errno;
        }
        item.descriptor.reset(); // it has gone with the first byte
        item.sent += static_cast<std::size_t>(size);
        if (item.sent == item.text.size()) {
            queue_.pop_front();
        }
    }
    return 0;
}

} // namespace vireo::qemu::qmp
